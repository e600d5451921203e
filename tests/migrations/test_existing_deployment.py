"""A deployment that has nchat's own tables keeps them, with its columns, types and rows."""

import asyncio

import asyncpg
import pytest
from alembic import command

import migrations

THEIRS = """
    CREATE TYPE member_role AS ENUM ('owner', 'admin', 'moderator', 'member', 'guest');
    CREATE TABLE nchat_users (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text NOT NULL UNIQUE, password_hash text NOT NULL,
        username varchar(50) NOT NULL UNIQUE, display_name varchar(100), avatar_url text, created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE nchat_channels (id uuid PRIMARY KEY, name varchar(100) NOT NULL, topic text, is_private boolean NOT NULL DEFAULT false);
    CREATE TABLE nchat_channel_members (
        channel_id uuid REFERENCES nchat_channels, user_id uuid REFERENCES nchat_users,
        role member_role NOT NULL DEFAULT 'member', muted boolean NOT NULL DEFAULT false, PRIMARY KEY (channel_id, user_id)
    );
    INSERT INTO nchat_users (id, email, password_hash, username)
        VALUES ('00000000-0000-4000-8000-000000000001', 'a@example.test', 'hash', 'alice');
    INSERT INTO nchat_channels VALUES ('00000000-0000-4000-8000-000000000101', 'general', 'talk', false);
    INSERT INTO nchat_channel_members
        VALUES ('00000000-0000-4000-8000-000000000101', '00000000-0000-4000-8000-000000000001', 'guest');
"""
THEIR_ROWS = """
    SELECT (SELECT jsonb_agg(to_jsonb(u)) FROM nchat_users u)::text || (SELECT jsonb_agg(to_jsonb(c)) FROM nchat_channels c)::text
        || (SELECT jsonb_agg(to_jsonb(m)) FROM nchat_channel_members m)::text
"""
OUR_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(nchat_|pgqueuer)' ORDER BY 1"
# What an existing deployment must be able to do at once.
A_CALL = (
    "INSERT INTO nchat_calls (initiator_id, channel_id, type) SELECT user_id, channel_id, 'audio' FROM nchat_channel_members RETURNING id"
)


async def run(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        if ";" not in statement:
            return list(await connection.fetch(statement))
        await connection.execute(statement)
        return []
    finally:
        await connection.close()


@pytest.fixture
def deployment(empty_database_url: str) -> str:
    asyncio.run(run(empty_database_url, THEIRS))
    return empty_database_url


def test_their_tables_stay_as_they_are(deployment: str) -> None:
    before = asyncio.run(run(deployment, THEIR_ROWS))
    migrations.upgrade(deployment)
    command.check(migrations.configuration(deployment))
    assert asyncio.run(run(deployment, THEIR_ROWS)) == before
    assert len(asyncio.run(run(deployment, A_CALL))) == 1
    migrations.downgrade(deployment)
    assert asyncio.run(run(deployment, THEIR_ROWS)) == before
    assert [row[0] for row in asyncio.run(run(deployment, OUR_TABLES))] == ["nchat_channel_members", "nchat_channels", "nchat_users"]


def test_only_what_is_missing_is_created_and_dropped(empty_database_url: str) -> None:
    users_only = THEIRS[THEIRS.index("CREATE TABLE nchat_users") : THEIRS.index("CREATE TABLE nchat_channels")]
    asyncio.run(run(empty_database_url, users_only))
    migrations.upgrade(empty_database_url)
    assert asyncio.run(run(empty_database_url, "SELECT count(*) FROM nchat_channel_members"))[0][0] == 0
    migrations.downgrade(empty_database_url)
    assert [row[0] for row in asyncio.run(run(empty_database_url, OUR_TABLES))] == ["nchat_users"]
