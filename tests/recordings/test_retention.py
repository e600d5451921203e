"""What expired, or was to be removed, goes whole: every object first, then the row says so, whatever breaks in between."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.database.transactions import EngineTransactions, open_engine
from app.jobs.loops import remove_recordings
from domain.recording_ports import StoredObject
from domain.recordings.actions.stop import delete_recording
from domain.recordings.names import recording_prefix
from domain.recordings.retention import removals
from domain.recordings.retention.expiring import BATCH, expire
from domain.recordings.retention.removing import remove_due
from domain.world import World
from tests.recordings.finished import ended_call, finished_recording, part_statuses, status_of
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, Setup, session
from tests.support.fake_store import FakeStore
from tests.support.kill_points import Killed, KillPoints
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio


def objects_of(on: Setup, recording_id: UUID) -> list[str]:
    return [key for key in on.store.objects if key.startswith(recording_prefix(recording_id))]


async def test_what_expired_goes_and_what_did_not_stays(on: Setup) -> None:
    call_id = await ended_call(on)
    gone = await finished_recording(on, call_id, parts=3)
    failed = await finished_recording(on, call_id, status="failed")
    on.clock.advance(10)
    stays = await finished_recording(on, call_id)
    on.clock.advance(30 * 86400 - 1)
    await remove_recordings(on.world)
    for recording_id in (gone, failed):
        assert await status_of(on, recording_id) == "deleted"
        assert await part_statuses(on, recording_id) == {"deleted"}
        assert objects_of(on, recording_id) == []
    assert await status_of(on, stays) == "ready"
    assert len(objects_of(on, stays)) == 4
    on.clock.advance(86400)
    await remove_recordings(on.world)
    assert on.store.objects == {}


async def test_a_legal_hold_keeps_what_expired_and_what_was_to_be_removed(on: Setup) -> None:
    recording_id = await finished_recording(on, await ended_call(on))
    set_hold = "UPDATE nchat_call_recordings SET legal_hold = $2 WHERE id = $1"
    await on.database.execute(set_hold, recording_id, True)
    on.clock.advance(31 * 86400)
    await remove_recordings(on.world)
    assert len(objects_of(on, recording_id)) == 4
    await on.database.execute(set_hold, recording_id, False)
    assert await expire(on.world) == 1
    await on.database.execute(set_hold, recording_id, True)
    await remove_recordings(on.world)
    assert (await status_of(on, recording_id), len(objects_of(on, recording_id))) == ("ready", 4)


class HeldInTheMiddle(FakeStore):
    """Somebody sets the legal hold while the removal has listed a page."""

    on: Setup

    async def list(self, prefix: str, *, after: str = "", most: int = 1000) -> Sequence[StoredObject]:
        await self.on.database.execute("UPDATE nchat_call_recordings SET legal_hold = true")
        return await FakeStore.list(self, prefix, after=after, most=most)


async def test_a_legal_hold_that_comes_in_the_middle_stops_it(on: Setup) -> None:
    recording_id = await finished_recording(on, await ended_call(on))
    store = HeldInTheMiddle(on.store.objects)
    store.on = on
    on.clock.advance(31 * 86400)
    await remove_recordings(replace(on.world, store=store))
    assert (await status_of(on, recording_id), len(objects_of(on, recording_id))) == ("ready", 4)


async def test_a_running_one_ends_first_and_goes_when_its_recorder_has_uploaded(call: RecordedCall) -> None:
    recording_id = await call.run()
    await delete_recording(call.on.world, session(ALICE), recording_id)
    await remove_recordings(call.on.world)
    assert await call.status() == "processing"
    await call.turn()
    await call.complete("EG_1")
    assert await call.status() == "ready"
    await remove_recordings(call.on.world)
    assert await call.status() == "deleted"
    assert call.on.store.objects == {}
    assert await call.on.database.fetchval("SELECT file_path FROM nchat_call_recordings") is None


async def test_a_store_that_is_down_delays_it_and_half_is_never_told(on: Setup, log_lines: LogLines) -> None:
    recording_id = await finished_recording(on, await ended_call(on))
    await delete_recording(on.world, session(ALICE), recording_id)
    on.store.down = True
    for _ in range(4):
        await remove_recordings(on.world)
        on.clock.advance(1)
    said = [line for line in log_lines if line["event"] == "recording_not_removed"]
    assert [(line["attempts"], line["again_in"]) for line in said] == [(1, 2), (2, 4)], "the pauses grow"
    assert await status_of(on, recording_id) == "ready"
    on.store.down = False
    on.clock.advance(10)
    await remove_recordings(on.world)
    assert (await status_of(on, recording_id), on.store.objects) == ("deleted", {})


class Stubborn(FakeStore):
    """Says that it deletes and keeps everything."""

    async def delete(self, keys: Collection[str]) -> None:
        """Nothing goes."""


async def test_what_is_there_again_is_not_told_as_gone(on: Setup) -> None:
    recording_id = await finished_recording(on, await ended_call(on))
    await delete_recording(on.world, session(ALICE), recording_id)
    assert await remove_due(replace(on.world, store=Stubborn(on.store.objects))) == 0
    assert await status_of(on, recording_id) == "ready"


async def test_objects_of_before_there_were_parts_go_too(on: Setup) -> None:
    recording_id = await finished_recording(on, await ended_call(on))
    paths = "UPDATE nchat_call_recordings SET file_path = 'old/file.mp4', thumbnail_path = 'old/still.jpeg' WHERE id = $1"
    await on.database.execute(paths, recording_id)
    for key in ("old/file.mp4", "old/still.jpeg", "old/of another.mp4"):
        await on.store.write(key, b"media", "video/mp4")
    await delete_recording(on.world, session(ALICE), recording_id)
    await remove_recordings(on.world)
    assert list(on.store.objects) == ["old/of another.mp4"]


async def test_more_objects_than_a_page_go(on: Setup) -> None:
    recording_id = await finished_recording(on, await ended_call(on), segments=2500)
    await delete_recording(on.world, session(ALICE), recording_id)
    await remove_recordings(on.world)
    assert (await status_of(on, recording_id), on.store.objects) == ("deleted", {})


async def test_killed_anywhere_it_ends_the_same(on: Setup) -> None:
    call_id = await ended_call(on)
    watched = KillPoints()
    recording_id = await finished_recording(on, call_id)
    await _dying(on, recording_id, watched)
    assert await status_of(on, recording_id) == "deleted"
    assert len(watched.passed) >= 8
    for point in range(len(watched.passed)):
        recording_id = await finished_recording(on, call_id)
        await _dying(on, recording_id, KillPoints(point))
        on.clock.advance(removals.TAKEN_FOR.total_seconds() + 10)
        await remove_recordings(on.world)
        assert (await status_of(on, recording_id), objects_of(on, recording_id)) == ("deleted", []), watched.passed[point]


async def _dying(on: Setup, recording_id: UUID, points: KillPoints) -> None:
    """A process of its own that removes it and dies where `points` says."""
    await delete_recording(on.world, session(ALICE), recording_id)
    async with open_engine(on.url) as engine:
        try:
            await remove_recordings(replace(on.world, transaction=EngineTransactions(engine, on.publisher, points)))
        except Killed as killed:
            assert points.at is not None, killed


async def test_a_thousand_go_in_bounded_batches_of_several_processes(on: Setup, log_lines: LogLines) -> None:
    call_id, now = await ended_call(on), on.clock.now()
    rows = """
        INSERT INTO nchat_call_recordings (call_id, started_by, status, ended_at, expires_at, next_work_at)
        SELECT $1, $2, 'ready', $3, $3, $3 FROM generate_series(1, 1000) RETURNING id
    """
    for row in await on.database.fetch(rows, call_id, ALICE, now):
        await on.store.write(f"{recording_prefix(row['id'])}file", b"media", "video/mp4")
    figures: list[tuple[str, float]] = []
    watched: World = replace(on.world, figure=lambda name, value: figures.append((name, value)))
    on.clock.advance(1)
    await asyncio.gather(*(remove_recordings(watched) for _ in range(2)))
    assert on.store.objects == {}
    assert await on.database.fetchval("SELECT count(*) FROM nchat_call_recordings WHERE status = 'deleted'") == 1000
    asked = [line["many"] for line in log_lines if line["event"] == "recordings_expired"]
    assert (sum(asked), max(asked)) == (1000, BATCH)
    removed = [line for line in log_lines if line["event"] == "recordings_removed"]
    assert sum(line["many"] for line in removed) == sum(line["objects"] for line in removed) == 1000
    left = [value for name, value in figures if name == "removals_waiting"]
    assert max(left) > 0 == left[-1]


async def test_nothing_is_removed_before_its_time_or_without_a_policy(on: Setup) -> None:
    recording_id = await finished_recording(on, await ended_call(on))
    await on.database.execute("UPDATE nchat_call_recordings SET expires_at = NULL")
    on.clock.advance(timedelta(days=4000).total_seconds())
    await remove_recordings(on.world)
    assert await status_of(on, recording_id) == "ready"
