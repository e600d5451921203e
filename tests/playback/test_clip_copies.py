"""A clip is copied by the store, plays by itself, and outlives its source; whoever dies at it leaves it to the next."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.errors import NotAllowed
from domain.recordings.actions.stop import delete_recording
from domain.recordings.clips import copies
from domain.recordings.clips.copies import MOST_TRIES
from domain.recordings.clips.copying import CUT_OFF, GONE, MOST_READS, NO_STORE, UNREADABLE, UNWANTED, copy_due
from domain.recordings.names import playlist_key
from domain.recordings.playlists import segments_of
from domain.recordings.retention.removing import remove_all_due
from domain.recordings.retention.stray_objects import stray_objects
from domain.world import Transaction, Transactions
from tests.playback.broadcast import Broadcast, broadcast
from tests.playback.test_clips import cut
from tests.support.call_sites import DOMAIN, of_recordings, transactions
from tests.support.domain_setup import ALICE, BOB, Setup, session

pytestmark = pytest.mark.anyio


class Died(BaseException):
    """The process is gone."""


@dataclass
class DeadlyTransactions:
    """Dies once, before or after a commit of this name."""

    inner: Transactions
    name: str
    moment: str
    died: bool = False

    @asynccontextmanager
    async def __call__(self, name: str) -> AsyncIterator[Transaction]:
        async with self.inner(name) as tx:
            yield tx
            self._die(name, "before")
        self._die(name, "after")

    def _die(self, name: str, moment: str) -> None:
        if not self.died and (name, moment) == (self.name, self.moment):
            self.died = True
            raise Died


@pytest.fixture
async def live(on: Setup) -> Broadcast:
    made = await broadcast(on, on.store)
    await made.part(0, 5, closed=True)
    await made.part(1, 3)
    return made


@pytest.fixture
async def clip(on: Setup, live: Broadcast) -> UUID:
    """From the last segment but one of the first part into the second."""
    return await cut(on, session(ALICE), stream=live.stream, begins=14, ends=25)


async def row(on: Setup, clip: UUID) -> Any:
    return await on.database.fetchrow("SELECT * FROM nchat_call_recordings WHERE id = $1", clip)


async def parts(on: Setup, clip: UUID) -> list[Any]:
    return list(await on.database.fetch("SELECT * FROM nchat_call_recording_parts WHERE recording_id = $1 ORDER BY index", clip))


async def test_what_it_is_made_of(on: Setup, live: Broadcast, clip: UUID) -> None:
    began_at = on.clock.now()
    assert await copy_due(on.world) == 1
    made, (first, second) = await row(on, clip), await parts(on, clip)
    assert (made["status"], made["clip_progress"], made["join_progress"], made["duration"]) == ("ready", 100, 0, 16)
    assert made["expires_at"] == began_at + timedelta(days=30)
    assert made["media_started_at"].replace(microsecond=0) == (began_at + timedelta(seconds=12)).replace(microsecond=0)
    assert made["thumbnail_path"] is None
    assert [(part["status"], part["segments"], part["duration"]) for part in (first, second)] == [("ready", 2, 8.0), ("ready", 2, 8.0)]
    bytes_of = {key.removeprefix(f"recordings/{clip}/"): body for key, body in on.store.objects.items() if f"/{clip}/" in key}
    names = [part["path_prefix"].removeprefix(f"recordings/{clip}/") for part in (first, second)]
    assert {key: body for key, body in bytes_of.items() if key.endswith(".ts")} == {
        f"{names[0]}segment_00000.ts": b"0/3",
        f"{names[0]}segment_00001.ts": b"0/4",
        f"{names[1]}segment_00000.ts": b"1/0",
        f"{names[1]}segment_00001.ts": b"1/1",
    }
    listed = segments_of(on.store.objects[playlist_key(first["path_prefix"])])
    assert [(one.name, one.seconds) for one in listed] == [("segment_00000.ts", 4.0), ("segment_00001.ts", 4.0)]
    assert listed[0].began_at == made["media_started_at"].replace(microsecond=made["media_started_at"].microsecond // 1000 * 1000)
    assert await copy_due(on.world) == 0


async def test_a_picture_comes_along(on: Setup, live: Broadcast) -> None:
    clip = await cut(on, session(ALICE), stream=live.stream, begins=1, ends=2)
    await copy_due(on.world)
    path = (await row(on, clip))["thumbnail_path"]
    assert path.startswith(f"recordings/{clip}/") and on.store.objects[path] == b"a picture"


async def test_it_outlives_its_source(on: Setup, live: Broadcast, clip: UUID) -> None:
    await copy_due(on.world)
    await live.end()
    remove = "UPDATE nchat_call_recordings SET delete_asked_at = $1, next_work_at = $1 WHERE id = $2"
    await on.database.execute(remove, on.clock.now(), live.recording)
    assert await remove_all_due(on.world) == 1
    assert not [key for key in on.store.objects if f"/{live.recording}/" in key]
    assert (await row(on, clip))["status"] == "ready" and len([key for key in on.store.objects if f"/{clip}/" in key]) == 6
    strays = [page.strays + ((),) * page.young async for page in stray_objects(on.world.transaction, on.store, on.clock.now())]
    assert strays == [()]


async def test_what_is_gone_before_it_was_copied(on: Setup, live: Broadcast, clip: UUID) -> None:
    for key in [key for key in on.store.objects if f"/{live.recording}/" in key and key.endswith("00004.ts")]:
        del on.store.objects[key]
    await copy_due(on.world)
    made = await row(on, clip)
    assert (made["status"], made["error_message"]) == ("failed", GONE) and made["expires_at"] is not None
    assert {(part["status"], part["error_message"]) for part in await parts(on, clip)} == {("failed", GONE)}


async def test_a_store_that_is_away_comes_back(on: Setup, clip: UUID) -> None:
    on.store.down = True
    for attempt in (1, 2, 3):
        assert await copy_due(on.world) == 1
        assert (await row(on, clip))["work_attempts"] == attempt and await copy_due(on.world) == 0
        on.clock.advance(2**attempt)
    assert (await row(on, clip))["status"] == "processing"
    on.store.down = False
    await copy_due(on.world)
    assert (await row(on, clip))["status"] == "ready"


async def test_a_store_that_stays_away(on: Setup, clip: UUID) -> None:
    began, on.store.down = on.clock.now(), True
    while (made := await row(on, clip))["status"] == "processing":
        await copy_due(on.world)
        on.clock.advance(60)
    assert (made["status"], made["error_message"]) == ("failed", NO_STORE)
    assert on.clock.now() - began >= timedelta(minutes=15)


@pytest.mark.parametrize("tries", [0, 1])
async def test_time_in_which_nobody_tries_makes_no_clip_fail(on: Setup, clip: UUID, tries: int) -> None:
    """No process ran, or others were first: the store has said nothing."""
    on.store.down = True
    for _ in range(tries):
        await copy_due(on.world)
    on.store.down = False
    on.clock.advance(24 * 3600)
    assert await copy_due(on.world) == 1
    assert (await row(on, clip))["status"] == "ready"


async def test_whoever_dies_at_it_each_time(on: Setup, clip: UUID) -> None:
    for _ in range(MOST_TRIES):
        assert await copies.take(on.world) is not None
        on.clock.advance(61)
    await copy_due(on.world)
    made = await row(on, clip)
    assert (made["status"], made["error_message"]) == ("failed", CUT_OFF)


async def test_one_that_is_to_be_removed_is_not_made(on: Setup, clip: UUID) -> None:
    await on.database.execute("UPDATE nchat_call_recordings SET delete_asked_at = now() WHERE id = $1", clip)
    await copy_due(on.world)
    made = await row(on, clip)
    assert (made["status"], made["error_message"]) == ("failed", UNWANTED)
    assert await remove_all_due(on.world) == 1
    assert (await row(on, clip))["status"] == "deleted" and not [key for key in on.store.objects if f"/{clip}/" in key]


async def test_it_is_removed_while_its_stream_goes_on(on: Setup, live: Broadcast, clip: UUID) -> None:
    await copy_due(on.world)
    with pytest.raises(NotAllowed):
        await delete_recording(on.world, session(ALICE), live.recording)
    with pytest.raises(NotAllowed):
        await delete_recording(on.world, session(BOB), clip)
    await delete_recording(on.world, session(ALICE), clip)
    assert await remove_all_due(on.world) == 1
    assert (await row(on, clip))["status"] == "deleted" and (await row(on, live.recording))["status"] == "recording"


@pytest.mark.parametrize(
    "notes", ["{}", '{"clip": 7}', '{"clip": {"parts": [], "picture": ""}}', '{"clip": {"parts": [{}], "picture": ""}}']
)
async def test_a_plan_that_can_t_be_read(on: Setup, live: Broadcast, clip: UUID, notes: str) -> None:
    """By no version of the service; nothing else waits for that."""
    await on.database.execute("UPDATE nchat_call_recordings SET metadata = CAST($1 AS jsonb) WHERE id = $2", notes, clip)
    other = await cut(on, session(ALICE), stream=live.stream)
    assert await copy_due(on.world) == 2 and (await row(on, other))["status"] == "ready"
    for _ in range(MOST_READS - 1):
        assert (await row(on, clip))["status"] == "processing"
        on.clock.advance(60)
        await copy_due(on.world)
    made = await row(on, clip)
    assert (made["status"], made["error_message"]) == ("failed", UNREADABLE) and made["expires_at"] is not None
    assert {(part["status"], part["error_message"]) for part in await parts(on, clip)} == {("failed", UNREADABLE)}


async def test_two_at_once_make_it_once(on: Setup, clip: UUID) -> None:
    first = await copies.take(on.world)
    assert first is not None and await copies.take(on.world) is None
    # The first one is thought dead, and is not.
    on.clock.advance(61)
    assert await copy_due(on.world) == 1
    assert not await copies.keep(on.world, first, 50)
    assert (await row(on, clip))["clip_progress"] == 100


async def test_how_far_it_is_can_be_read(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await broadcast(on, on.store)
    await live.part(0, 30)
    clip = await cut(on, session(ALICE), stream=live.stream, begins=0, ends=120)
    seen, keep = list[int](), copies.keep

    async def look(*given: Any) -> bool:
        kept = await keep(*given)
        seen.append((await row(on, clip))["clip_progress"])
        return kept

    monkeypatch.setattr(copies, "keep", look)
    await copy_due(on.world)
    assert seen == [27, 54, 80, 99]


MADE = {"clip.take", "clip.places", "clip.note", "clip.ready"}
CUT = {"clip_stream.look", "clip_stream.write"}


def test_every_commit_is_died_at() -> None:
    named = set(transactions([*of_recordings("clips"), *sorted((DOMAIN / "streams" / "clips").glob("*.py"))]))
    assert named == MADE | CUT | {"clip.failed"}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", sorted(MADE))
async def test_whoever_dies_at_it(on: Setup, clip: UUID, name: str, moment: str) -> None:
    await dying(on, name, moment)
    made = await row(on, clip)
    assert (made["status"], made["clip_progress"]) == ("ready", 100)
    assert len([key for key in on.store.objects if f"/{clip}/" in key]) == 6


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_whoever_dies_at_what_is_gone(on: Setup, clip: UUID, moment: str) -> None:
    on.store.objects.clear()
    await dying(on, "clip.failed", moment)
    made = await row(on, clip)
    assert (made["status"], made["error_message"]) == ("failed", GONE)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", sorted(CUT))
async def test_whoever_dies_while_it_is_asked_for(on: Setup, live: Broadcast, name: str, moment: str) -> None:
    """It was written down, and is made; or it was not, and nothing of it is anywhere."""
    deadly = DeadlyTransactions(on.world.transaction, name, moment)
    with pytest.raises(Died):
        await cut(replace(on, world=replace(on.world, transaction=deadly)), session(ALICE), stream=live.stream)
    await copy_due(on.world)
    found = await on.database.fetch("SELECT id, status FROM nchat_call_recordings WHERE clip_from IS NOT NULL")
    assert [one["status"] for one in found] == (["ready"] if (name, moment) == ("clip_stream.write", "after") else [])
    assert {key.split("/")[1] for key in on.store.objects} == {str(live.recording), *(str(one["id"]) for one in found)}


async def dying(on: Setup, name: str, moment: str) -> None:
    """The process that copies dies there, and the next one goes on."""
    deadly = DeadlyTransactions(on.world.transaction, name, moment)
    with pytest.raises(Died):
        await copy_due(replace(on.world, transaction=deadly))
    assert deadly.died
    on.clock.advance(61)
    await copy_due(on.world)
