"""500 rings run out in one moment, in two processes: all are over at once, each exactly once, and LiveKit is told of each."""

import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import orjson
import pytest

from domain.webhooks.inbox import store_all
from tests.hostile.attacked_service import AttackedServices
from tests.hostile.scale import scaled
from tests.support.call_history import Event, assert_valid_history
from tests.support.crowd import arrivals, connecting_calls, ringing_calls
from tests.support.domain_setup import setup
from tests.support.valkey import valkey
from tests.support.waiting import eventually
from tests.support.whole_service import simulated

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

RINGS = scaled(500, 60)
# Seconds until all are over; a machine that runs other tests besides takes its time.
WITHIN = scaled(10, 30)
RUN_OUT = (
    "UPDATE nchat_call_participants SET status_since = now() - interval '1 hour' WHERE call_id = ANY ($1::uuid[]) AND status = 'ringing'"
)
LIVING = "SELECT count(*) FROM nchat_calls WHERE id = ANY ($1::uuid[]) AND status <> 'ended'"
CONNECTING = "SELECT count(*) FROM nchat_calls WHERE id = ANY ($1::uuid[]) AND status = 'connecting'"
OPEN = "SELECT count(*) FROM nchat_calls WHERE id = ANY ($1::uuid[]) AND room_closed_at IS NULL"
HISTORY = "SELECT seq, kind, actor_id::text, payload::text FROM nchat_call_events WHERE call_id = $1 ORDER BY seq"
PUSHES = "SELECT user_id, kind FROM nchat_push_outbox WHERE user_id = ANY ($1::uuid[])"


@pytest.mark.timeout(240)
async def test_news_in_the_inbox_come_first(services: AttackedServices, demo_database_url: str, tmp_path: Path) -> None:
    """Nobody served for an hour; then two processes find calls that are long due, and in the inbox that all their people had arrived."""
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(setup(demo_database_url, populate=False))
        calls = await connecting_calls(on.database, RINGS, since=on.clock.now() - timedelta(hours=1))
        await store_all(on.world, [event for call in calls for event in arrivals(call, on.clock.now())])
        redis_url = f"redis://{stack.enter_context(valkey(tmp_path))}"
        for _ in range(2):
            media = {"livekit_enabled": "true", "livekit_url": "http://127.0.0.1:9", "redis_url": redis_url}
            await stack.enter_async_context(services.open(**media))

        async def are_decided() -> bool:
            return bool(await on.database.fetchval(CONNECTING, [call.id for call in calls]) == 0)

        await eventually(are_decided, seconds=60, every=0.1)
        ends = await on.database.fetch("SELECT end_reason FROM nchat_calls WHERE id = ANY ($1::uuid[])", [call.id for call in calls])
        assert [row["end_reason"] for row in ends] == [None] * RINGS


@pytest.mark.timeout(240)
async def test_rings_that_run_out_at_once(services: AttackedServices, demo_database_url: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        database = await asyncpg.connect(demo_database_url)
        stack.push_async_callback(database.close)
        redis_url = f"redis://{stack.enter_context(valkey(tmp_path))}"
        _, livekit_url = await stack.enter_async_context(simulated(None))
        for _ in range(2):
            media = {"livekit_enabled": "true", "livekit_url": livekit_url, "redis_url": redis_url}
            await stack.enter_async_context(services.open(**media))
        calls = await ringing_calls(database, RINGS, since=datetime.now(UTC))
        ids = [call.id for call in calls]

        async def are_over() -> bool:
            return bool(await database.fetchval(LIVING, ids) == 0)

        async def are_closed() -> bool:
            return bool(await database.fetchval(OPEN, ids) == 0)

        began = time.monotonic()
        await database.execute(RUN_OUT, ids)
        await eventually(are_over, seconds=WITHIN, every=0.05)
        print(f"{RINGS} rings over within {time.monotonic() - began:.1f} s")  # noqa: T201 - shown by `pytest -s`
        await eventually(are_closed, seconds=60, every=0.1)
        for call in calls:
            rows = await database.fetch(HISTORY, call.id)
            events = [Event(row["seq"], row["kind"], row["actor_id"], orjson.loads(row["payload"])) for row in rows]
            assert_valid_history(events)
            assert [event.kind for event in events].count("call_participant_left") == 1
            assert events[-1].payload == {"reason": "no_answer"}
        pushes = await database.fetch(PUSHES, [call.callee for call in calls])
        assert sorted((str(row["user_id"]), row["kind"]) for row in pushes) == sorted((str(call.callee), "missed") for call in calls)
