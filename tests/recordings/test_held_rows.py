"""Whoever holds the row of a call for long holds up its recording alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from domain import short_waits
from domain.recordings.ending.deadlines import end_due
from domain.recordings.ending.finishing import finish
from tests.recordings.finished import ended_call, status_of
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, Setup

pytestmark = pytest.mark.anyio
RUNNING = "INSERT INTO nchat_call_recordings (call_id, started_by, status) VALUES ($1, $2, 'recording') RETURNING id"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_waits, "WAIT_MS", 100)


@asynccontextmanager
async def held(on: Setup, call_id: UUID) -> AsyncIterator[None]:
    """Somebody's transaction that does not end."""
    async with on.database.transaction():
        await on.database.execute("SELECT FROM nchat_calls WHERE id = $1 FOR UPDATE", call_id)
        yield


async def test_recordings_of_other_calls_end(on: Setup) -> None:
    calls = [await ended_call(on) for _ in range(3)]
    recordings = [await on.database.fetchval(RUNNING, call_id, ALICE) for call_id in calls]

    async def statuses() -> list[str]:
        return [await status_of(on, recording_id) for recording_id in recordings]

    async with held(on, calls[0]):
        assert await end_due(on.world) == 2
        assert await statuses() == ["recording", "processing", "processing"]
    assert await end_due(on.world) == 1
    async with held(on, calls[0]):
        await finish(on.world)
        assert await statuses() == ["processing", "failed", "failed"]
    await finish(on.world)
    assert await statuses() == ["failed"] * 3


async def test_what_cannot_be_written_down_is_found_later(call: RecordedCall) -> None:
    await call.run()
    call.on.recorder.become("EG_1", "failed", 500)
    call.on.clock.advance(4)
    async with held(call.on, call.id):
        await call.turn()
        assert [part["status"] for part in await call.parts()] == ["recording"]
    await call.pass_time(4)
    assert [part["status"] for part in await call.parts()] == ["ready", "starting"]


async def test_an_egress_that_begins_meanwhile_is_not_lost(call: RecordedCall) -> None:
    await call.run()
    call.on.recorder.become("EG_1", "failed", 500)
    await call.tell("EG_1")
    async with held(call.on, call.id):
        await call.turn()
        assert [part["egress_id"] for part in await call.parts()] == ["EG_1", None]
    await call.pass_time(4)
    assert [part["egress_id"] for part in await call.parts()] == ["EG_1", "EG_2"]
    assert call.on.recorder.asked["start"] == 2
