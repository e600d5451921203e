"""The service dies around each commit and each request for a room: a minute after the restart the stream is somewhere it may be."""

from dataclasses import replace
from random import Random

import pytest

from app.database.transactions import EngineTransactions, open_engine
from domain import timeouts
from domain.reconciler import reconcile
from domain.streams.actions.start import start_stream
from domain.streams.actions.stop import cancel_stream, stop_stream
from domain.webhooks.inbox import process_pending, store
from domain.world import World
from tests.recordings.recorded_call import RecordedCall
from tests.streams.life.staged_stream import StagedStream, plan_stream
from tests.support.domain_setup import ALICE, Setup, session
from tests.support.kill_points import KillableRooms, Killed, KillPoints
from tests.trials.scale import SEED, WHOLE

pytestmark = pytest.mark.anyio
# What only reads, and what is another test's.
PASSED_OVER = ("start_stream.answer", "webhook.due", "timeouts.due", "recording.", "ingress.")
# Among all the other tests.
SAMPLE = 6


class StreamPoints(KillPoints):
    """Those at which something of a stream is written, or LiveKit asked."""

    def __call__(self, point: str) -> None:
        if not point.startswith(PASSED_OVER) and ".due:" not in point:
            KillPoints.__call__(self, point)


async def life(stream: StagedStream, world: World) -> None:
    """A stream as this process serves it, through everything that asks something of LiveKit."""
    await start_stream(world, session(ALICE), stream.id)
    stream.room.silent = True
    await stream.room.join(ALICE, "camera")
    for told in stream.room.told:
        await store(world, told)
    await process_pending(world)
    await record(stream)
    stream.on.recorder.become(stream.on.recorder.last, "active")
    stream.upload(stream.on.recorder.last, 1)
    await record(stream)
    await timeouts.run_timeouts(world)
    await stop_stream(world, session(ALICE), stream.id)
    await record(stream)
    stream.upload(stream.on.recorder.last, 2, ended=True)
    stream.on.recorder.become(stream.on.recorder.last, "complete")
    await record(stream)
    await timeouts.run_timeouts(world)


async def record(stream: StagedStream) -> None:
    """Another process works on recordings, and on nothing else."""
    stream.on.clock.advance(4)
    await RecordedCall.turn(stream)


async def lived(on: Setup, points: StreamPoints) -> str:
    """What becomes of a stream whose process dies there."""
    stream, killed = await plan_stream(on), False
    async with open_engine(on.url) as engine:
        world = replace(on.world, transaction=EngineTransactions(engine, on.publisher, points), rooms=KillableRooms(on.rooms, points))
        try:
            await life(stream, world)
        except* Killed:
            killed = True
    assert killed == (points.at is not None), points
    return await consistent(stream)


@pytest.mark.timeout(300)
async def test_killed_anywhere(on: Setup, request: pytest.FixtureRequest) -> None:
    """By `NCHAT_TRIALS=whole` at each point; else at the first, at the last, and at a few by chance."""
    request.node.add_report_section("call", "sample", f"NCHAT_TRIALS_SEED={SEED}")
    points = StreamPoints()
    assert await lived(on, points) == "ended"
    last = len(points.passed) - 1
    assert last >= 15, points.passed
    between = range(1, last)
    some = between if WHOLE else Random(SEED).sample(between, SAMPLE)  # noqa: S311 - no secret
    ends = {await lived(on, StreamPoints(at)) for at in (0, *some, last)}
    assert ends >= ({"scheduled", "starting", "live", "ended"} if WHOLE else {"scheduled", "ended"})


async def consistent(stream: StagedStream) -> str:
    """What it is a minute after. What runs has its room and one recorder at most, and comes to its end when it is stopped; of what is over
    nothing is left."""
    stream.on.clock.advance(15)
    await process_pending(stream.on.world)
    await stream.compare()
    status, row = await stream.is_now(), await stream.row()
    if status in ("starting", "live", "ending"):
        assert row["room_sid"] == stream.room.sid and len(running(stream)) <= 1
        await stop_stream(stream.on.world, session(ALICE), stream.id)
        await stream.turn()
        for egress in stream.on.recorder.egresses:
            stream.on.recorder.become(egress, "complete")
        await stream.pass_time(64, step=32)
    elif status == "scheduled":
        await cancel_stream(stream.on.world, session(ALICE), stream.id)
    await reconcile(stream.on.world)
    assert await stream.is_now() in ("ended", "cancelled")
    assert (stream.room_name in stream.on.rooms.rooms, running(stream)) == (False, [])
    assert (await stream.row())["room_closed_at"] is not None
    return status


def running(stream: StagedStream) -> list[str]:
    mine = [one.id for one in stream.on.recorder.egresses.values() if one.room == stream.room_name]
    return [one for one in mine if stream.on.recorder.egresses[one].status in ("starting", "active")]
