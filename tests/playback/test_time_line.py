"""One time line: however much of a stream is lost, a message stands in its playlist where its place says, and the recording is as long."""

import time
from datetime import timedelta
from typing import Any

import pytest

from domain.recordings.clips.ranges import length
from domain.recordings.ending.finishing import finish
from domain.recordings.names import segment_name
from domain.recordings.playing.part_segments import KnownSegments
from domain.recordings.playing.playlist import compose
from domain.recordings.playing.visible import Visible
from tests.playback.broadcast import Broadcast, broadcast
from tests.streams.chat.live_stream import say
from tests.support.domain_setup import ALICE, Setup, session

pytestmark = pytest.mark.anyio
ENDED = """
    UPDATE nchat_call_recording_parts SET status = 'processing', closed_at = $1, next_look_at = $1, duration = NULL, segment_at = $1
    WHERE path_prefix = $2
"""


async def ends(live: Broadcast, prefix: str) -> None:
    """Its recorder has said its last word, and what is stored of it is looked through."""
    await live.on.database.execute(ENDED, live.on.clock.now(), prefix)
    await finish(live.on.world)


async def lose(live: Broadcast, prefix: str, *numbers: int) -> None:
    await live.store.delete([prefix + segment_name(number) for number in numbers])


async def place_now(live: Broadcast) -> float:
    """Where a message stands that is written now."""
    written = await say(live.on, live.stream)
    await live.on.database.execute("UPDATE nchat_stream_chat SET created_at = $2 WHERE id = $1", written.message_id, live.on.clock.now())
    shown = "SELECT nchat_stream_chat_media_seconds(message) FROM nchat_stream_chat AS message WHERE id = $1"
    return float(await live.on.database.fetchval(shown, written.message_id))


async def played(live: Broadcast) -> float:
    """How long the stream's playlist is."""
    stream = await Visible(live.on.world).stream(session(ALICE), live.stream)
    assert stream is not None
    return length(await compose(KnownSegments(live.store, time.monotonic), stream.parts, ended=False))


@pytest.mark.parametrize("lost", [(4,), (0, 1, 2), (7, 8, 9), (0, 4, 9), tuple(range(10))], ids=str)
async def test_segments_that_are_lost_keep_their_place(on: Setup, lost: tuple[int, ...]) -> None:
    live = await broadcast(on, on.store)
    first = await live.part(0, 10)
    await lose(live, first, *lost)
    on.clock.advance(40)
    await ends(live, first)
    on.clock.advance(20)
    await live.part(1, 3)
    on.clock.advance(12)
    assert abs(await place_now(live) - await played(live)) < 1


async def test_a_part_of_which_nothing_is_left_has_no_place(on: Setup) -> None:
    live = await broadcast(on, on.store)
    for index in range(3):
        prefix = await live.part(index, 5)
        on.clock.advance(20)
        if index == 1:
            await lose(live, prefix, *range(5))
        if index < 2:
            await ends(live, prefix)
    assert [row["status"] for row in await parts(live)] == ["ready", "failed", "recording"]
    assert await played(live) == 40 and abs(await place_now(live) - 40) < 1


async def test_a_recording_is_as_long_as_its_playlist(on: Setup) -> None:
    live = await broadcast(on, on.store)
    prefix = await live.part(0, 10)
    began = on.clock.now()
    await lose(live, prefix, 0, 9)
    on.clock.advance(40)
    await on.database.execute("UPDATE nchat_call_recordings SET status = 'processing', ended_at = $1", on.clock.now())
    await ends(live, prefix)
    (part,) = await parts(live)
    assert (part["duration"], part["segments"], part["media_started_at"]) == (40, 8, began)
    assert abs(part["ended_at"] - (began + timedelta(seconds=40))) < timedelta(seconds=0.1)
    assert await on.database.fetchval("SELECT duration FROM nchat_call_recordings") == await played(live) == 40


async def parts(live: Broadcast) -> list[dict[str, Any]]:
    rows = await live.on.database.fetch("SELECT * FROM nchat_call_recording_parts ORDER BY index")
    return [dict(row) for row in rows]
