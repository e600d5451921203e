"""One sound of many: each track has a small buffer, and what is in them is added up by a clock that never waits.

A buffer is read from when PRIME samples are in it, gives silence when it runs dry, skips forward when more than LIMIT wait, and once a
second gives up what was never needed: so the delay that a stall leaves does not stay.
"""

import asyncio
import threading
from collections import deque
from typing import Any, Final

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from devstack.media.seat import Source

RATE: Final = 48_000
PRIME: Final = int(0.04 * RATE)
LIMIT: Final = int(0.25 * RATE)
Samples = NDArray[np.int16]


class SoundBuffer:
    """Stereo samples of one track, pushed by the event loop and pulled by the clock."""

    def __init__(self) -> None:
        self._chunks: deque[Samples] = deque()
        self._lock = threading.Lock()
        self._held, self._primed = 0, False
        self._least, self._pulled = LIMIT, 0

    def push(self, samples: Samples) -> None:
        with self._lock:
            self._chunks.append(samples)
            self._held += len(samples)
            if self._held > LIMIT:
                self._skip(self._held - 2 * PRIME)

    def pull(self, number: int) -> Samples:
        """Always so many; silence where there are none."""
        with self._lock:
            if not self._primed and self._held < PRIME:
                return np.zeros((number, 2), np.int16)
            self._give_up_what_is_not_needed(number)
            found = self._take(number)
            self._primed = len(found) == number
            return found if self._primed else np.concatenate([found, np.zeros((number - len(found), 2), np.int16)])

    def _take(self, number: int) -> Samples:
        taken: list[Samples] = [np.zeros((0, 2), np.int16)]
        while number and self._chunks:
            chunk = self._chunks.popleft()
            if len(chunk) > number:
                self._chunks.appendleft(chunk[number:])
                chunk = chunk[:number]
            taken.append(chunk)
            number -= len(chunk)
            self._held -= len(chunk)
        return np.concatenate(taken)

    def _give_up_what_is_not_needed(self, number: int) -> None:
        self._least = min(self._least, self._held - number)
        self._pulled += number
        if self._pulled >= RATE:
            self._skip(self._least - PRIME // 2)
            self._least, self._pulled = LIMIT, 0

    def _skip(self, samples: int) -> None:
        while self._chunks and samples >= len(self._chunks[0]):
            gone = len(self._chunks.popleft())
            self._held -= gone
            samples -= gone


class Mixer:
    """The sum of all tracks that are there at a moment."""

    def __init__(self) -> None:
        self._buffers: dict[str, SoundBuffer] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}

    def add(self, source: Source) -> None:
        buffer = self._buffers[source.sid] = SoundBuffer()
        self._readers[source.sid] = asyncio.create_task(_read(source.track, buffer))

    def remove(self, source: Source) -> None:
        self._buffers.pop(source.sid, None)
        if reader := self._readers.pop(source.sid, None):
            reader.cancel()

    def mix(self, number: int) -> Samples:
        """So many samples, from any thread."""
        total = np.zeros((number, 2), np.int32)
        for buffer in list(self._buffers.values()):
            total += buffer.pull(number)
        return np.clip(total, -32768, 32767).astype(np.int16)


async def _read(track: Any, buffer: SoundBuffer) -> None:
    stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=2, frame_size_ms=20)
    try:
        async for event in stream:
            buffer.push(np.frombuffer(event.frame.data, np.int16).reshape(-1, 2).copy())
    finally:
        await stream.aclose()
