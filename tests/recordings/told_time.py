"""A voice that says which second it is, and a listener who finds the seconds in what was recorded."""

import asyncio
import io
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import av
import numpy as np
from livekit import rtc

RATE = 48_000
FRAME = RATE // 100
# A second of the minute has a tone of its own, far enough from the next for any decoder.
LOWEST, STEP, SECONDS = 500, 40, 60
WINDOW = RATE // 4


async def tell_the_time(sound: rtc.AudioSource) -> None:
    """Until it is cancelled; in step with the clock however late a frame comes."""
    phase = 0.0
    while True:
        hertz = LOWEST + STEP * (int(time.time()) % SECONDS)
        steps = phase + 2 * math.pi * hertz * np.arange(1, FRAME + 1) / RATE
        phase = float(steps[-1] % (2 * math.pi))
        samples = (np.sin(steps) * 12_000).astype(np.int16)
        await sound.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))


def seconds_heard(segments: Sequence[bytes], around: float) -> list[int]:
    """The seconds (unix times) that are told in the segments, in order; the first is within half a minute of `around`."""
    samples = np.concatenate([np.zeros(0), *map(_samples, segments)])
    heard: list[int] = []
    for begin in range(0, len(samples) - WINDOW, WINDOW):
        told = _second(samples[begin : begin + WINDOW])
        if told is None:
            continue
        near = heard[-1] if heard else round(around)
        second = near + (told - near + SECONDS // 2) % SECONDS - SECONDS // 2
        if not heard or second > heard[-1]:
            heard.append(second)
    return heard


def _second(window: "np.ndarray") -> int | None:
    power = np.abs(np.fft.rfft(window * np.hanning(WINDOW)))
    loudest = int(power.argmax())
    if power[loudest] < 1000 * WINDOW / 100:
        return None
    hertz = loudest * RATE / WINDOW
    second = round((hertz - LOWEST) / STEP)
    return second if 0 <= second < SECONDS and abs(LOWEST + STEP * second - hertz) <= STEP / 4 else None


def _samples(segment: bytes) -> "np.ndarray":
    parts: list[np.ndarray] = [np.zeros(0)]
    box: Any
    with av.open(io.BytesIO(segment), "r") as box:
        resampler: Any = av.AudioResampler("s16", "mono", RATE)
        for packet in box.demux(audio=0):
            # Players go over a broken packet; what is lost by it is missing among the seconds.
            with suppress(av.error.InvalidDataError):
                for frame in packet.decode():
                    parts.extend(part.to_ndarray().ravel() for part in resampler.resample(frame))
    return np.concatenate(parts)


async def heard_apart(segments: Sequence[bytes], around: float) -> list[int]:
    """The same in a thread."""
    return await asyncio.to_thread(seconds_heard, segments, around)
