"""Parts become one file: real media, the real program, the real store."""

import asyncio
from dataclasses import replace

import pytest

from app.adapters.ffmpeg_joiner import FfmpegJoiner
from app.storage.s3_store import S3Store
from devstack.demo.watching import watch
from domain.recordings.joining.joining import join_due
from domain.recordings.starting import Manner
from tests.recordings.joinable import recorded
from tests.recordings.recorded_call import RecordedCall

pytestmark = pytest.mark.anyio


async def test_parts_follow_each_other_in_one_file(call: RecordedCall, stored: S3Store) -> None:
    await recorded(call, stored, Manner(), 440, 660)
    before = await call.recording()
    assert (before["status"], before["join_progress"], before["file_path"]) == ("ready", 0, None)
    assert await join_due(call.on.world) == 1
    row = await call.recording()
    assert (row["join_progress"], row["file_reason"]) == (100, None)
    found = await stored.head(row["file_path"])
    assert found is not None
    assert (found.content_type, found.size) == ("video/mp4", row["file_size"])
    watched = watch(await stored.read(row["file_path"]) or b"")
    assert abs(watched.seconds - 8) < 0.3
    assert (watched.tones(1), watched.tones(6), watched.tones(9), watched.tones(14)) == ({440}, {440}, {660}, {660})
    assert watched.codecs == ["h264", "aac"] or watched.codecs == ["aac", "h264"]
    assert await join_due(call.on.world) == 0


async def test_sound_alone_gets_a_file_of_its_own_kind(call: RecordedCall, stored: S3Store) -> None:
    await recorded(call, stored, Manner("audio_only"), 440)
    assert await join_due(call.on.world) == 1
    row = await call.recording()
    assert row["file_path"].endswith(".ogg")
    watched = watch(await stored.read(row["file_path"]) or b"")
    assert watched.codecs == ["opus"]
    assert watched.tones(3) == {440}


async def test_no_program(call: RecordedCall, stored: S3Store) -> None:
    await recorded(call, stored, Manner(), 440, 660)
    await join_due(replace(call.on.world, joiner=None))
    row = await call.recording()
    assert (row["status"], row["join_progress"], row["file_path"]) == ("ready", None, None)
    assert row["file_reason"] == "This deployment has no program that joins parts; the playlist plays all of them."


async def test_a_program_that_fails_is_tried_again_and_not_for_ever(call: RecordedCall, stored: S3Store) -> None:
    await recorded(call, stored, Manner(), 440, 660)
    failing = replace(call.on.world, joiner=FfmpegJoiner("false", stored))
    for attempt in range(1, 6):
        assert (await call.recording())["file_reason"] is None, attempt
        await join_due(failing)
        call.on.clock.advance(600)
    row = await call.recording()
    assert (row["status"], row["file_reason"]) == ("ready", "The parts could not be joined; the playlist plays all of them.")
    assert await join_due(failing) == 0


async def test_two_processes_join_once(call: RecordedCall, stored: S3Store) -> None:
    await recorded(call, stored, Manner(), 440, 660)
    assert sorted(await asyncio.gather(*(join_due(call.on.world) for _ in range(3)))) == [0, 0, 1]
    row = await call.recording()
    keys = [one.key for one in await stored.list(f"recordings/{row['id']}/") if "joined" in one.key]
    assert keys == [row["file_path"]]
