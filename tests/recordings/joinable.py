"""Recordings with real media in several parts, ready to be joined to one file."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import av
import numpy as np

from app.storage.s3_store import S3Store
from domain.recordings.actions.pause import pause_recording, resume_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.names import playlist_key
from domain.recordings.starting import Manner
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, session

RATE, SEGMENT, MANY = 48_000, 2, 2


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
