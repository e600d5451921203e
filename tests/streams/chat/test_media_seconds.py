"""A message's place beside the pictures: on the timeline of the playlist, which holds all parts one after the other."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.streams.chat.live_stream import live_stream, say
from tests.support.domain_setup import ALICE, Setup

pytestmark = pytest.mark.anyio

RECORDING = """INSERT INTO nchat_call_recordings (stream_id, status, started_by, clip_from, clip_to)
    VALUES ($1, 'processing', $2, $3, $4) RETURNING id"""
PART = """INSERT INTO nchat_call_recording_parts (recording_id, index, media_started_at, duration, segment_at, status)
    VALUES ($1, $2, $3, $4, $5, 'processing')"""
BEGAN = datetime(2026, 11, 27, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So long after the first frame."""
    return BEGAN + timedelta(seconds=seconds)


async def recorded(on: Setup, *parts: tuple[float | None, float | None, float | None]) -> UUID:
    """A stream whose recording has parts: when each began, how long it is, when its last segment came."""
    stream_id = await live_stream(on)
    recording_id = await on.database.fetchval(RECORDING, stream_id, ALICE, None, None)
    for index, (began, duration, last) in enumerate(parts):
        times = [None if moment is None else at(moment) for moment in (began, last)]
        await on.database.execute(PART, recording_id, index, times[0], duration, times[1])
    return stream_id


async def place(on: Setup, stream_id: UUID, seconds: float) -> float | None:
    """Where a message stands that was written so long after the first frame."""
    written = await say(on, stream_id)
    await on.database.execute("UPDATE nchat_stream_chat SET created_at = $2 WHERE id = $1", written.message_id, at(seconds))
    shown = "SELECT nchat_stream_chat_media_seconds(message) FROM nchat_stream_chat AS message WHERE id = $1"
    found: float | None = await on.database.fetchval(shown, written.message_id)
    return found


async def test_there_is_no_place_before_there_is_media(on: Setup) -> None:
    assert await place(on, await live_stream(on), 5) is None
    assert await place(on, await recorded(on, (None, None, None)), 5) is None
    begun = await recorded(on, (0, None, 8))
    assert [await place(on, begun, seconds) for seconds in (-0.5, 0, 0.25, 7, 12.3456)] == [None, 0, 0.25, 7, 12.346]


async def test_what_was_written_in_a_gap_stands_at_its_beginning(on: Setup) -> None:
    """The first part is 40 s long, then 20 s were lost; of the second, which ended without a word, the last segment came at 90 s."""
    stream_id = await recorded(on, (0, 40, 41), (60, None, 90), (120, None, 130))
    places = {10: 10, 39: 39, 45: 40, 59: 40, 60: 40, 70: 50, 100: 70, 120: 70, 125: 75, 180: 130}
    assert {seconds: await place(on, stream_id, seconds) for seconds in places} == places


async def test_clips_and_tracks_have_no_part_in_it(on: Setup) -> None:
    stream_id = await recorded(on, (0, None, 8))
    clip = await on.database.fetchval(RECORDING, stream_id, ALICE, 2, 5)
    await on.database.execute(PART, clip, 0, at(2), 3, at(5))
    assert await place(on, stream_id, 30) == 30
