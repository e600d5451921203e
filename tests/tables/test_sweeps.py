"""What runs every second or every few must not read whole tables, however much history there is."""

import asyncpg
import pytest

from domain import timeouts
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.kick import kick_participant
from domain.reconciler import kick_watch, reconcile
from domain.webhooks import inbox
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, session, setup
from tests.support.telling_rooms import TellingRoom

pytestmark = pytest.mark.anyio

HISTORY = """
    INSERT INTO nchat_calls (initiator_id, type, status, end_reason, status_since, created_at, started_at, ended_at, room_closed_at)
    SELECT $1, 'audio', 'ended', 'completed', at, at, at, at, at
    FROM generate_series(now() - interval '20 days', now() - interval '1 day', '1.5 min') at
"""
PEOPLE = """
    INSERT INTO nchat_call_participants (call_id, user_id, status, status_since)
    SELECT c.id, u.id, (CASE WHEN u.username = 'bob' THEN 'kicked' ELSE 'left' END)::participant_status, c.ended_at
    FROM nchat_calls c CROSS JOIN nchat_users u WHERE u.username IN ('alice', 'bob', 'carol')
"""
DELIVERIES = """
    INSERT INTO nchat_webhook_events (id, event, payload, received_at, processed_at)
    SELECT 'EV_old_' || n, 'participant_left', jsonb_build_object('participant', jsonb_build_object('sid', 'PA_old_' || n)), now(), now()
    FROM generate_series(1, 20000) n
"""
WHOLE_READS = """
    SELECT relname, seq_scan FROM pg_stat_user_tables
    WHERE relname IN ('nchat_calls', 'nchat_call_participants', 'nchat_call_events', 'nchat_webhook_events') ORDER BY 1
"""


async def fill(url: str) -> None:
    database = await asyncpg.connect(url)
    await database.execute(HISTORY, ALICE)
    await database.execute(PEOPLE)
    await database.execute(DELIVERIES)
    await database.execute("VACUUM ANALYZE")
    await database.close()


async def whole_reads(url: str) -> dict[str, int]:
    """How often each table was read from end to end, as PostgreSQL counted; a connection that closed has told all it knows."""
    database = await asyncpg.connect(url)
    counted = {row["relname"]: row["seq_scan"] for row in await database.fetch(WHOLE_READS)}
    await database.close()
    return counted


async def a_minute_of_calls(url: str) -> None:
    """Calls in every state, and every job that looks for them."""
    async with setup(url, populate=False) as on:
        await initiate_call(on.world, session(CAROL), CallRequest("audio", channel_id=GENERAL))
        started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
        room = TellingRoom(on, started.room_name)
        await room.join(ALICE, "microphone")
        await room.leave(ALICE, "connection_timeout")
        for _ in range(7):
            on.clock.advance(9)
            await timeouts.run_timeouts(on.world)
            await kick_watch.watch(on.world)
            await inbox.process_pending(on.world)
            await inbox.purge(on.world)
            await reconcile(on.world)
        group = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB, CAROL]))
        await kick_participant(on.world, session(ALICE), group.call_id, (await on.participant(group.call_id, BOB))["id"])
        assert await kick_watch.watch(on.world) == 0


async def test_no_job_reads_a_whole_table(database_url: str) -> None:
    async with setup(database_url):
        pass
    await fill(database_url)
    before = await whole_reads(database_url)
    await a_minute_of_calls(database_url)
    assert await whole_reads(database_url) == before
