"""Parts become one file: real media, the real program, the real store."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import av
import numpy as np
import pytest

from app.adapters.ffmpeg_joiner import FfmpegJoiner
from app.storage.s3_store import S3Address, S3Store, open_store
from devstack import ffmpeg
from devstack.demo.watching import watch
from devstack.store import StoreProcess
from domain.recordings.actions.pause import pause_recording, resume_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.joining.joining import join_due
from domain.recordings.names import playlist_key
from domain.recordings.starting import Manner
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, session

pytestmark = pytest.mark.anyio

RATE, SEGMENT, MANY = 48_000, 2, 2
BUCKET = "recordings"


def segment(hertz: int, colour: int | None) -> bytes:
    """Two seconds of a tone, and a picture of one grey unless it is sound alone: a MPEG-TS segment as the recorder writes one."""
    written = io.BytesIO()
    box: Any
    with av.open(written, "w", format="mpegts") as box:
        sound = box.add_stream("aac", rate=RATE)
        sound.layout = "mono"
        picture = None if colour is None else box.add_stream("libx264", rate=5)
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 36, "yuv420p"
            for number in range(SEGMENT * 5):
                frame = av.VideoFrame.from_ndarray(np.full((36, 64, 3), colour, np.uint8), format="rgb24")
                frame.pts = number
                box.mux(picture.encode(frame))
            box.mux(picture.encode())
        wave = (np.sin(2 * np.pi * hertz * np.arange(SEGMENT * RATE) / RATE) * 12_000).astype(np.int16)
        for begin in range(0, len(wave), 1024):
            heard = av.AudioFrame.from_ndarray(wave[None, begin : begin + 1024], format="s16", layout="mono")
            heard.sample_rate, heard.pts = RATE, begin
            box.mux(sound.encode(heard))
        box.mux(sound.encode())
    return written.getvalue()


async def upload(store: S3Store, prefix: str, began_at: datetime, hertz: int, colour: int | None) -> None:
    lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{SEGMENT}"]
    for number in range(MANY):
        name, at = f"segment_{number:05d}.ts", began_at + timedelta(seconds=SEGMENT * number)
        await store.write(prefix + name, segment(hertz, colour), "video/mp2t")
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat()}", f"#EXTINF:{SEGMENT:.6f},", name]
    await store.write(playlist_key(prefix), "\n".join(lines).encode(), "application/x-mpegurl")


@pytest.fixture
async def stored(call: RecordedCall, bucket: StoreProcess) -> AsyncIterator[S3Store]:
    """The call's world keeps its objects in the real store, and joins with the real program."""
    async with open_store(S3Address(BUCKET, bucket.url, access_key=bucket.access_key, secret_key=bucket.secret_key)) as store:
        call.on.world = replace(call.on.world, store=store, joiner=FfmpegJoiner(ffmpeg.program(), store))
        yield store


async def recorded(call: RecordedCall, store: S3Store, manner: Manner, *tones: int) -> None:
    """A recording of one part for each tone, with a pause between them; it is ready."""
    recording_id = await call.start(manner)
    for number, hertz in enumerate(tones):
        if number:
            await pause_recording(call.on.world, session(ALICE), recording_id)
            await call.turn()
            await end(call)
            await resume_recording(call.on.world, session(ALICE), recording_id)
            await call.turn()
        egress_id = call.on.recorder.last
        call.on.recorder.become(egress_id, "active")
        await call.tell(egress_id)
        grey = None if manner.type == "audio_only" else 60 + 60 * number
        await upload(store, call.on.recorder.wanted[egress_id].path_prefix, datetime.now(UTC) + timedelta(seconds=60 * number), hertz, grey)
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await end(call)


async def end(call: RecordedCall) -> None:
    call.on.recorder.become(call.on.recorder.last, "complete")
    await call.tell(call.on.recorder.last)
    await call.turn()


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
