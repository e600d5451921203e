"""clipStream: whose it is to cut, what may be cut, and what is written down by it."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import ActionError, Banned, InvalidInput, MediaUnavailable, NotAllowed, NotFound, NotRecording, RateLimited
from domain.recordings.clips.copying import copy_due
from domain.streams.clips.clip import ClipWanted, clip_stream
from permissions.session import Session
from tests.media.library import Shelf, record
from tests.playback.broadcast import Broadcast, broadcast
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, MOD, Setup, session

pytestmark = pytest.mark.anyio


async def cut(
    on: Setup,
    who: Session,
    *,
    stream: UUID | None = None,
    recording: UUID | None = None,
    begins: float = 2,
    ends: float = 9,
    title: str | None = None,
) -> UUID:
    return (await clip_stream(on.world, who, ClipWanted(stream, recording, begins, ends, title))).clip_id


async def clips(on: Setup) -> list[dict[str, Any]]:
    rows = await on.database.fetch("SELECT * FROM nchat_call_recordings WHERE clip_from IS NOT NULL ORDER BY created_at, id")
    return [dict(row) for row in rows]


async def refused(on: Setup, error: type[ActionError], who: Session, **wanted: Any) -> str:
    """The sentence of the refusal, which has written nothing."""
    objects, before = set(on.store.objects), await clips(on)
    with pytest.raises(error) as told:
        await cut(on, who, **wanted)
    assert await clips(on) == before and set(on.store.objects) == objects
    return told.value.sentence


@pytest.fixture
async def live(on: Setup) -> Broadcast:
    """32 seconds in two parts, the second of which runs."""
    made = await broadcast(on, on.store, "channel_members")
    await made.part(0, 5, closed=True)
    await made.part(1, 3)
    return made


async def test_what_is_written_down(on: Setup, live: Broadcast) -> None:
    await on.database.execute("UPDATE nchat_call_recordings SET legal_hold = true, title = 'All of it', layout = 'speaker'")
    clip_id = await cut(on, session(ALICE), stream=live.stream, begins=14, ends=25.5)
    (row,) = await clips(on)
    shown = "id stream_id call_id started_by status source_recording_id clip_from clip_to clip_progress legal_hold title layout keep"
    assert {name: row[name] for name in shown.split()} == {
        "id": clip_id,
        "stream_id": live.stream,
        "call_id": None,
        "started_by": ALICE,
        "status": "processing",
        "source_recording_id": live.recording,
        "clip_from": 14.0,
        "clip_to": 25.5,
        "clip_progress": 0,
        "legal_hold": True,
        "title": "All of it",
        "layout": "speaker",
        "keep": True,
    }
    found = await on.database.fetch("SELECT status, path_prefix, on_cdn FROM nchat_call_recording_parts WHERE recording_id = $1", clip_id)
    assert [(part["status"], part["on_cdn"]) for part in found] == [("processing", False)] * 2
    assert len({part["path_prefix"] for part in found}) == 2
    assert all(part["path_prefix"].startswith(f"recordings/{clip_id}/") for part in found)


@pytest.mark.parametrize("who", [session(ALICE), session(MOD, "moderator"), session(CAROL), session(DAVE, "admin")], ids=str)
async def test_host_and_moderators_cut_a_stream(on: Setup, live: Broadcast, who: Session) -> None:
    await on.database.execute("UPDATE nchat_channel_members SET role = 'moderator' WHERE user_id = $1", CAROL)
    clip_id = await cut(on, who, stream=live.stream, title="Mine")
    (row,) = await clips(on)
    assert (row["id"], row["started_by"], row["title"]) == (clip_id, who.user_id, "Mine")


async def test_nobody_else_cuts_a_stream(on: Setup, live: Broadcast) -> None:
    await refused(on, NotAllowed, session(BOB), stream=live.stream)
    await refused(on, NotFound, session(MALLORY), stream=live.stream)
    await refused(on, NotFound, session(ALICE), stream=uuid4())
    await live.ban(BOB)
    await refused(on, Banned, session(BOB), stream=live.stream)
    await live.end()
    await refused(on, NotAllowed, session(CAROL), stream=live.stream)
    # Whoever sees its recording by now does not own it.
    await refused(on, NotAllowed, session(CAROL), recording=live.recording)
    await refused(on, NotFound, session(MALLORY), recording=live.recording)


async def test_of_a_call_who_owns_the_recording(on: Setup) -> None:
    call, recording = await record(on)
    shelf = Shelf(on, None, None, call, recording, [])  # type: ignore[arg-type]
    await shelf.part(0, segments=4, began_at=on.clock.now())
    await refused(on, NotAllowed, session(BOB), recording=recording)
    await refused(on, NotFound, session(CAROL), recording=recording)
    clip_id = await cut(on, session(ALICE), recording=recording)
    (row,) = await clips(on)
    assert (row["id"], row["call_id"], row["stream_id"], row["title"]) == (clip_id, call, None, "Minutes")
    # A clip is a recording: of an own one another can be cut.
    await copy_due(on.world)
    await cut(on, session(ALICE), recording=clip_id, begins=0, ends=1)
    assert [row["source_recording_id"] for row in await clips(on)] == [recording, clip_id]


async def test_what_is_not_uploaded_can_not_be_cut(on: Setup, live: Broadcast) -> None:
    assert "32 seconds are there by now" in await refused(on, NotRecording, session(ALICE), stream=live.stream, begins=30, ends=34)
    await cut(on, session(ALICE), stream=live.stream, begins=30, ends=32)
    prefix = await on.database.fetchval("SELECT path_prefix FROM nchat_call_recording_parts WHERE index = 1 AND status = 'recording'")
    await live.grow(prefix, 4)
    await cut(on, session(ALICE), stream=live.stream, begins=30, ends=34)
    assert len(await clips(on)) == 2


async def test_before_the_first_segment_there_is_nothing(on: Setup) -> None:
    planned = await broadcast(on, on.store, status="scheduled")
    await refused(on, NotRecording, session(ALICE), stream=planned.stream)
    starting = await broadcast(on, on.store, status="starting")
    await refused(on, NotRecording, session(ALICE), stream=starting.stream)


@pytest.mark.parametrize("gone", ["status = 'deleted'", "delete_asked_at = now()"])
async def test_what_is_gone_can_not_be_cut(on: Setup, live: Broadcast, gone: str) -> None:
    await on.database.execute(f"UPDATE nchat_call_recordings SET {gone}")
    await refused(on, NotRecording, session(ALICE), stream=live.stream)
    await refused(on, NotFound, session(ALICE), recording=live.recording)


async def test_a_lost_segment_is_in_no_clip(on: Setup, live: Broadcast) -> None:
    prefix = await on.database.fetchval("SELECT path_prefix FROM nchat_call_recording_parts WHERE index = 0")
    del on.store.objects[f"{prefix}segment_00001.ts"]
    await on.database.execute("UPDATE nchat_call_recording_parts SET segments = 4 WHERE index = 0")
    await refused(on, NotRecording, session(ALICE), stream=live.stream, begins=4, ends=8)
    await cut(on, session(ALICE), stream=live.stream, begins=3, ends=9)
    assert await copy_due(on.world) == 1
    assert [(row["status"], row["duration"]) for row in await clips(on)] == [("ready", 8)]


@pytest.mark.parametrize(
    "wanted",
    [
        {"begins": -1},
        {"begins": 9, "ends": 9},
        {"begins": 9, "ends": 3},
        {"begins": 0, "ends": 120.1},
        {"begins": float("nan")},
        {"ends": float("inf")},
        {"title": "x" * 201},
        {"title": "a\0b"},
        {"stream": None},
        {"recording": ALICE},
    ],
)
async def test_what_means_nothing(on: Setup, live: Broadcast, wanted: dict[str, Any]) -> None:
    await refused(on, InvalidInput, session(ALICE), **{"stream": live.stream} | wanted)


async def test_two_minutes_are_not_too_long(on: Setup) -> None:
    long = await broadcast(on, on.store)
    await long.part(0, 40)
    await cut(on, session(ALICE), stream=long.stream, begins=10, ends=130)
    await copy_due(on.world)
    assert [(row["status"], row["duration"]) for row in await clips(on)] == [("ready", 124)]


async def test_not_too_many_and_not_without_a_store(on: Setup, live: Broadcast) -> None:
    on.store.down = True
    await refused(on, MediaUnavailable, session(ALICE), stream=live.stream)
    on.store.down = False
    assert on.limiter.hits == [("clip", str(ALICE))]
    on.limiter.used_up.add("clip")
    await refused(on, RateLimited, session(ALICE), stream=live.stream)


async def test_a_right_that_is_lost_while_the_store_is_asked(on: Setup, live: Broadcast, monkeypatch: pytest.MonkeyPatch) -> None:
    await on.database.execute("UPDATE nchat_channel_members SET role = 'moderator' WHERE user_id = $1 AND channel_id = $2", CAROL, GENERAL)
    read = type(on.store).read

    async def read_late(*given: Any, **more: Any) -> bytes | None:
        await on.database.execute("UPDATE nchat_channel_members SET role = 'member' WHERE user_id = $1", CAROL)
        return await read(*given, **more)

    monkeypatch.setattr(type(on.store), "read", read_late)
    await refused(on, NotAllowed, session(CAROL), stream=live.stream)
