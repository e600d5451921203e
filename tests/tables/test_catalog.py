"""What PostgreSQL's own catalog says of every table."""

import asyncpg
import pytest

from schema.tables import metadata

pytestmark = pytest.mark.anyio

UNCOMMENTED = """
    SELECT c.relname || coalesce('.' || a.attname, '') FROM pg_class c
    CROSS JOIN LATERAL (
        SELECT NULL::name AS attname, 0::int2 AS attnum
        UNION ALL SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    ) a
    WHERE c.relkind = 'r' AND c.relname LIKE 'nchat\\_%' AND coalesce(
        CASE WHEN a.attnum = 0 THEN obj_description(c.oid, 'pg_class') ELSE col_description(c.oid, a.attnum) END, '') = ''
"""
# A foreign key without an index that begins with its columns makes every delete of its target read the whole table.
UNINDEXED = """
    SELECT k.conname FROM pg_constraint k
    WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND NOT EXISTS (
        SELECT FROM pg_index i
        WHERE i.indrelid = k.conrelid AND i.indpred IS NULL AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] = k.conkey
    )
"""
ENUMS = """
    SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
    WHERE t.typnamespace = 'public'::regnamespace AND t.typname <> 'pgqueuer_status' GROUP BY 1
"""
VOCABULARIES = {
    "call_end_reason": "completed declined busy timeout cancelled failed no_answer network_error host_ended kicked",
    "call_status": "initiated ringing connecting connected reconnecting ended",
    "call_type": "audio video",
    "connection_quality": "excellent good poor lost",
    "destination_platform": "youtube twitch facebook custom",
    "destination_status": "pending connecting connected disconnected error",
    "participant_role": "host co_host participant viewer",
    "participant_status": "invited ringing connecting connected disconnected left kicked",
    "reaction_type": "like love fire clap wow laugh sad",
    "recording_layout": "grid speaker single custom",
    "recording_status": "starting recording paused processing ready failed deleted",
    "recording_type": "composite individual_tracks audio_only",
    "stream_status": "scheduled starting live ending ended cancelled",
    "stream_visibility": "public channel_members invite_only",
}


async def test_every_table_and_column_has_a_comment(connection: asyncpg.Connection) -> None:
    assert [row[0] for row in await connection.fetch(UNCOMMENTED)] == []


async def test_every_foreign_key_has_an_index(connection: asyncpg.Connection) -> None:
    assert [row[0] for row in await connection.fetch(UNINDEXED)] == []


async def test_the_vocabularies_are_native_enums(connection: asyncpg.Connection) -> None:
    assert {name: " ".join(labels) for name, labels in await connection.fetch(ENUMS)} == VOCABULARIES


async def test_each_table_with_updated_at_keeps_it(connection: asyncpg.Connection) -> None:
    kept = await connection.fetch("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'nchat_touch_updated_at'::regproc")
    assert {row[0] for row in kept} == {name for name, table in metadata.tables.items() if "updated_at" in table.c}
