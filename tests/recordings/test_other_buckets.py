"""The settings name another bucket than a recording lies in: it goes on there, plays from there, and is removed there."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from app.jobs.loops import remove_recordings
from app.media.library import Asked, Elsewhere, Library
from domain.recordings.actions.pause import pause_recording, resume_recording
from domain.recordings.actions.stop import delete_recording, stop_recording
from domain.recordings.names import new_prefix, recording_prefix
from domain.recordings.playing.download import recording_download
from domain.recordings.playing.visible import Visible
from domain.recordings.retention.sweep import AnotherDatabase, Found, Sweep
from tests.recordings.finished import ended_call, finished_recording, status_of
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, Setup, session
from tests.support.fake_store import FakeStore

pytestmark = pytest.mark.anyio
NAME = "UPDATE nchat_call_recordings SET storage_bucket = 'old' WHERE id = $1"
OLD_TIMES = timedelta(days=2)


def moved(on: Setup) -> FakeStore:
    """From now on the settings name another bucket, which is empty; returns the one of before."""
    before = on.store
    on.store = FakeStore(bucket="new", others={before.bucket: before})
    on.world = replace(on.world, store=on.store)
    return before


def sweep_of(on: Setup) -> Sweep:
    return Sweep(on.world.transaction, on.store, on.clock, lambda _found: None)


async def test_a_recording_stays_in_the_bucket_that_it_began_in(call: RecordedCall) -> None:
    recording_id = await call.run()
    assert (await call.recording())["storage_bucket"] == "recordings"
    await pause_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_1")
    before = moved(call.on)
    await resume_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    second = call.on.recorder.wanted[call.on.recorder.last]
    assert (second.bucket, call.on.recorder.wanted["EG_1"].bucket) == ("recordings", None)
    call.on.recorder.become(call.on.recorder.last, "active")
    await call.tell(call.on.recorder.last)
    before.hold(second.path_prefix, 3, call.on.clock.now(), ended=True)
    await call.pass_time(8)
    await stop_recording(call.on.world, session(ALICE), recording_id)
    call.on.recorder.become(call.on.recorder.last, "complete")
    await call.tell(call.on.recorder.last)
    await call.turn()
    assert (await call.status(), [part["segments"] for part in await call.parts()]) == ("ready", [3, 3])
    await delete_recording(call.on.world, session(ALICE), recording_id)
    await remove_recordings(call.on.world)
    assert (await call.status(), before.objects, call.on.store.objects) == ("deleted", {}, {})


async def test_it_plays_from_there(on: Setup) -> None:
    recording_id = await finished_recording(on, await ended_call(on))
    await on.database.execute("UPDATE nchat_call_recordings SET storage_bucket = 'recordings', thumbnail_path = 'recordings/still'")
    before, alice = moved(on), session(ALICE)
    part = await on.database.fetchrow("SELECT id, path_prefix FROM nchat_call_recording_parts")
    assert part is not None
    before.hold(part["path_prefix"], 2, on.clock.now(), ended=True)
    library = Library(Visible(on.world), on.store, lambda: 0.0)
    addresses = [
        await library.shelves["recording"](Asked(alice, recording_id, "token")),
        await library.shelves["part"](Asked(alice, part["id"], "token")),
        await library.shelves["thumbnail"](Asked(alice, recording_id, "token")),
        await library.piece("playlist", Asked(alice, recording_id, "token"), 0, "segment_00000.ts"),
        await library.piece("part-playlist", Asked(alice, part["id"], "token"), 0, "segment_00000.ts"),
        Elsewhere((await recording_download(on.world, alice, recording_id)).url),
    ]
    assert [str(one).split("/")[2] for one in addresses if isinstance(one, Elsewhere)] == ["store.example"] * 6
    for shelf in ("playlist", "storyboard"):
        assert await library.shelves[shelf](Asked(alice, recording_id, "token")) is not None
    await on.database.execute("UPDATE nchat_call_recordings SET storage_bucket = NULL")
    here = await library.shelves["recording"](Asked(alice, recording_id, "token"))
    assert isinstance(here, Elsewhere) and here.address.startswith("https://new.store.example/")


async def test_what_expired_goes_from_where_it_lies(on: Setup) -> None:
    call_id = await ended_call(on)
    named, nameless = await finished_recording(on, call_id, on.store.of("old")), await finished_recording(on, call_id)
    copied = f"{recording_prefix(named)}of somebody who copied it"
    await on.store.write(copied, b"media", "video/mp4")
    await on.database.execute(NAME, named)
    on.clock.advance(31 * 86400)
    await remove_recordings(on.world)
    assert [await status_of(on, one) for one in (named, nameless)] == ["deleted", "deleted"]
    assert (on.store.of("old").objects, list(on.store.objects)) == ({}, [copied]), "the sweep's business"


async def test_a_bucket_that_is_away_holds_up_its_own_alone(on: Setup) -> None:
    call_id = await ended_call(on)
    named, nameless = await finished_recording(on, call_id, on.store.of("old")), await finished_recording(on, call_id)
    await on.database.execute(NAME, named)
    on.store.of("old").down = True
    on.clock.advance(31 * 86400)
    await remove_recordings(on.world)
    assert [await status_of(on, one) for one in (named, nameless)] == ["ready", "deleted"]


async def test_the_sweep_looks_into_every_bucket_that_rows_name(on: Setup) -> None:
    call_id = await ended_call(on)
    old = on.store.of("old")
    named = await finished_recording(on, call_id, old)
    await finished_recording(on, call_id)
    await on.database.execute(NAME, named)
    stray = f"{new_prefix(uuid4(), uuid4())}segment_00000.ts"
    await old.write(stray, b"media", "video/mp2t")
    for key, body in list(old.objects.items()):
        if key != stray:
            await on.store.write(key, body, "of somebody who is moving them")
    for store in (on.store, old):
        store.times = dict.fromkeys(store.objects, on.clock.now() - OLD_TIMES)
    found = await sweep_of(on).look()
    assert (found.objects, found.stray, found.rows, found.bare) == (13, 1, 2, [])
    before = dict(on.store.objects)
    await sweep_of(on).repair(found)
    assert (stray in old.objects, len(old.objects), on.store.objects) == (False, 4, before)


async def test_a_bucket_of_another_database_is_left_alone_beside_one_of_ours(on: Setup) -> None:
    named = await finished_recording(on, await ended_call(on), on.store.of("old"))
    await on.database.execute(NAME, named)
    await on.store.write(f"{new_prefix(uuid4(), uuid4())}segment_00000.ts", b"media", "video/mp2t")
    on.store.times = dict.fromkeys(on.store.objects, on.clock.now() - OLD_TIMES)
    found: Found = await sweep_of(on).look()
    with pytest.raises(AnotherDatabase):
        await sweep_of(on).repair(found)
    assert len(on.store.objects) == 1
