"""The demo data: the ids that outside programs rely on, valid histories, and a second time that changes nothing."""

import json
from uuid import UUID

import asyncpg
import pytest

from devstack.demo_data import seed
from tests.support.call_history import Event, assert_valid_history
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

EVENTS = "SELECT seq, kind, actor_id, payload FROM nchat_call_events WHERE call_id = $1 ORDER BY seq"


async def test_the_promised_ids(demo_database_url: str) -> None:
    connection = await asyncpg.connect(demo_database_url)
    users = await connection.fetch("SELECT username, id FROM nchat_users ORDER BY id")
    members = await connection.fetch("SELECT username FROM nchat_channel_members m JOIN nchat_users u ON u.id = m.user_id ORDER BY u.id")
    channels = await connection.fetch("SELECT id, name FROM nchat_channels")
    await connection.close()
    names = ["alice", "bob", "carol", "dave", "mallory", "mod"]
    assert [tuple(user) for user in users] == [(name, UUID(f"00000000-0000-4000-8000-{n:012d}")) for n, name in enumerate(names, 1)]
    assert [member[0] for member in members] == ["alice", "bob", "carol", "dave"]
    assert [tuple(channel) for channel in channels] == [(UUID("00000000-0000-4000-8000-000000000101"), "general")]


async def test_a_second_time_changes_nothing(demo_database_url: str) -> None:
    before = await dump(demo_database_url)
    await seed(demo_database_url)
    assert await dump(demo_database_url) == before


async def test_the_calls_have_legal_histories(demo_database_url: str) -> None:
    connection = await asyncpg.connect(demo_database_url)
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    calls = await connection.fetch("SELECT c.id, n.event_seq FROM nchat_calls c JOIN nchat_call_counters n ON n.call_id = c.id")
    assert len(calls) == 5
    for call_id, last in calls:
        events = await connection.fetch(EVENTS, call_id)
        assert [event["seq"] for event in events] == list(range(1, last + 1))
        assert_valid_history([Event(*event) for event in events])
    await connection.close()
