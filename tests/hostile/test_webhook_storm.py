"""500 calls begin at once, and LiveKit tells everything of them: each word is stored at once and worked out once."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.hostile.attacked_service import AttackedService, AttackedServices
from tests.hostile.scale import WHOLE, scaled
from tests.hostile.signed_webhooks import beginning, deliver
from tests.support.crowd import connecting_calls
from tests.support.valkey import valkey
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

CALLS = scaled(500, 60)
# Webhooks in a second of CPU time (of few, what the services do besides is much of it), and in a second where nothing else runs.
PER_CPU_SECOND, PER_SECOND = scaled(200, 60), 200
NOBODY = "http://127.0.0.1:9"
WAITING = "SELECT count(*) FROM nchat_webhook_events WHERE processed_at IS NULL"
OURS = "SELECT status::text FROM nchat_calls WHERE id = ANY ($1::uuid[])"
JOINED = "SELECT count(*) FROM nchat_call_events WHERE kind = 'call_participant_joined' AND call_id = ANY ($1::uuid[]) GROUP BY call_id"


@pytest.fixture
async def database(demo_database_url: str) -> AsyncIterator["asyncpg.Connection"]:
    connection = await asyncpg.connect(demo_database_url)
    yield connection
    await connection.close()


def cpu_seconds(services: list[AttackedService]) -> float:
    """Of the services' processes so far."""
    processes = [one for service in services for root in [psutil.Process(service.process.pid)] for one in (root, *root.children(True))]
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("processes", [1, 2])
async def test_a_storm_of_webhooks(services: AttackedServices, database: "asyncpg.Connection", tmp_path: Path, processes: int) -> None:
    async with AsyncExitStack() as stack:
        broker = f"redis://{stack.enter_context(valkey(tmp_path))}"
        attacked = []
        for _ in range(processes):
            media = {"livekit_enabled": "true", "livekit_url": NOBODY, "redis_url": broker}
            attacked.append(await stack.enter_async_context(services.open(**media)))
        calls = await connecting_calls(database, CALLS, since=datetime.now(UTC))
        rooms = [beginning(call) for call in calls]
        number, ids = sum(map(len, rooms)), [call.id for call in calls]
        began, spent = time.monotonic(), cpu_seconds(attacked)
        assert set(await deliver([service.url for service in attacked], rooms)) == {200}

        async def worked_out() -> bool:
            return bool(await database.fetchval(WAITING) == 0)

        await eventually(worked_out, seconds=120, every=0.1)
        took, spent = time.monotonic() - began, cpu_seconds(attacked) - spent
        print(f"{number / took:.0f} webhooks a second, {spent / number * 1000:.1f} ms of CPU each")  # noqa: T201 - shown by `pytest -s`
        assert {row["status"] for row in await database.fetch(OURS, ids)} == {"connected"}
        assert [row["count"] for row in await database.fetch(JOINED, ids)] == [2] * CALLS
        assert number / spent >= PER_CPU_SECOND
        assert not WHOLE or number / took >= PER_SECOND
