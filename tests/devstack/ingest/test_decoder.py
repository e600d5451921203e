"""What becomes of an encoder's media before it is a participant's: nothing of it is late, and no picture waits for the second key frame."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from devstack.ingest.decoder import BEHIND, CAUGHT_UP, Decoder
from devstack.ingest.rtmp.flv import HEADER, TAG_HEADER
from devstack.ingest.tracks import CHANNELS, RATE, Shape, Tracks
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

WIDTH, HEIGHT, FPS, SECONDS = 64, 48, 15, 6
# An AAC frame.
SAMPLES = 1024


def brightness(number: int) -> int:
    return 40 + 2 * number


def pictures(video: Any) -> Iterator[Any]:
    """Each a little brighter than the one before; only the first is a key frame."""
    for number in range(FPS * SECONDS):
        pixels = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        pixels[:HEIGHT] = brightness(number)
        frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield from video.encode(frame)


def silence(audio: Any) -> Iterator[Any]:
    for number in range(RATE * SECONDS // SAMPLES):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2 * SAMPLES), np.int16), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, number * SAMPLES, Fraction(1, RATE)
        yield from audio.encode(frame)


def tags() -> list[bytes]:
    """What an encoder sends in SECONDS, tag after tag."""
    file = io.BytesIO()
    with av.open(file, "w", format="flv") as box:
        video = box.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0"})
        video.width, video.height, video.pix_fmt, video.codec_context.gop_size = WIDTH, HEIGHT, "yuv420p", FPS * SECONDS
        audio = box.add_stream("aac", rate=RATE)
        audio.codec_context.layout = "stereo"
        packets = [*pictures(video), *silence(audio)]
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            box.mux(packet)
    data, found, at = file.getvalue(), [], len(HEADER)
    while at < len(data):
        end = at + TAG_HEADER + int.from_bytes(data[at + 1 : at + 4], "big") + 4
        found.append(data[at:end])
        at = end
    return found


@dataclass
class Played(Tracks):
    """What would be heard and seen: seconds of sound, the brightness of each picture."""

    heard: float = 0.0
    seen: list[int] = field(default_factory=list)

    async def publish(self, shape: Shape) -> None:
        assert shape == Shape((WIDTH, HEIGHT), sound=True)

    def show(self, width: int, height: int, pixels: bytes) -> None:
        self.seen.append(round(float(np.frombuffer(pixels[: width * height], np.uint8).mean())))

    async def play(self, samples: bytes, number: int) -> None:
        self.heard += len(samples) / (RATE * CHANNELS * 2)
        assert number == len(samples) // (CHANNELS * 2)


@asynccontextmanager
async def decoder(played: Played) -> AsyncIterator[Decoder]:
    failed: list[str] = []

    async def published(_shape: Shape) -> None:
        pass

    one = Decoder(played, published, failed.append)
    one.start()
    try:
        yield one
    finally:
        await one.end()
    assert failed == []


async def test_what_came_while_nothing_could_be_shown_is_left_out_and_the_picture_follows_all_the_same() -> None:
    """The first key frame is among it, and no other comes."""
    sent, played = tags(), Played()
    late, live = sent[: len(sent) // 2], sent[len(sent) // 2 :]
    async with decoder(played) as one:
        for tag in late:
            one.write(tag)

        async def has_caught_up() -> bool:
            return one._pipe.waiting.empty()

        await eventually(has_caught_up, every=0.002)
        assert len(played.seen) <= CAUGHT_UP
        assert played.heard < 0.2
        for tag in live:
            one.write(tag)
            await eventually(has_caught_up, every=0.002)
    # The last of it may be in the decoder still.
    expected = [brightness(number) for number in range(FPS * SECONDS)]
    assert len(played.seen) > FPS * SECONDS // 2 - 5
    assert played.seen == pytest.approx(expected[-len(played.seen) :], abs=8)


async def test_a_moment_too_much_is_played_and_what_is_more_is_left_out_with_its_sound() -> None:
    """Left out alone, pictures would be missing for as long as the encoder sends: what takes the time is sound."""
    sent, played = tags(), Played()
    gate = asyncio.Event()

    async def play(samples: bytes, number: int) -> None:
        await gate.wait()
        await Played.play(played, samples, number)

    played.play = play  # type: ignore[method-assign]
    start = len(sent) // 2
    async with decoder(played) as one:
        for tag in sent[:start]:
            one.write(tag)

        async def holds_still() -> bool:
            return one._pipe.waiting.qsize() <= CAUGHT_UP

        await eventually(holds_still)
        for tag in sent[start : start + 3 * BEHIND]:
            one.write(tag)
        gate.set()

        async def has_caught_up() -> bool:
            return one._pipe.waiting.empty()

        await eventually(has_caught_up, every=0.002)
        before = len(played.seen), played.heard
        for tag in sent[start + 3 * BEHIND :]:
            one.write(tag)
            await eventually(has_caught_up, every=0.002)
    left = (len(sent) - start - 3 * BEHIND) / len(sent) * SECONDS
    assert before[0] <= 2 * CAUGHT_UP
    assert before[1] < 0.3
    assert len(played.seen) - before[0] == pytest.approx(left * FPS, abs=4)
    assert played.heard - before[1] == pytest.approx(left, abs=0.3)
