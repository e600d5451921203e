"""Frames out of FLV, on a thread of its own beside the event loop that feeds it."""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import av

from devstack.ingest.rtmp.flv import HEADER
from devstack.ingest.tracks import CHANNELS, RATE, Shape, Tracks

# So many tags may wait, a third of a second; what waits longer, as while tracks are being published, would be late for ever. Then all of it
# is left out until nearly nothing waits: to leave out pictures alone wins no time, for it is sound that takes it.
BEHIND: Final = 25
CAUGHT_UP: Final = 3
# Not `nobuffer`: what was probed would be lost, the first key frame too, and with it all pictures until the next.
PROBING: Final = {"probesize": "100000", "analyzeduration": "500000"}
WITHIN: Final = 10.0
Published = Callable[[Shape], Awaitable[None]]
Failed = Callable[[str], None]


class _Pipe:
    """Bytes written by one side, read by the other; what is read after the end is empty."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[bytes | None] = queue.Queue()
        self._rest, self._ended = b"", False

    def read(self, size: int) -> bytes:
        while not self._rest and not self._ended:
            piece = self.waiting.get()
            self._rest, self._ended = piece or b"", piece is None
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


class Decoder:
    """Plays what is written on `tracks`; tells `published` when they stand, `failed` in words when it can't go on."""

    def __init__(self, tracks: Tracks, published: Published, failed: Failed) -> None:
        self._tracks, self._published, self._failed = tracks, published, failed
        self._loop = asyncio.get_running_loop()
        self._pipe, self._ending = _Pipe(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="decoder")

    def start(self) -> None:
        self._pipe.waiting.put(HEADER)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._pipe.waiting.put(data)

    async def end(self) -> None:
        """Returns when nothing is played any more."""
        self._ending.set()
        self._pipe.waiting.put(None)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, WITHIN)

    def _run(self) -> None:
        try:
            with av.open(self._pipe, "r", format="flv", options=PROBING) as box:
                self._play(box)
        except (av.FFmpegError, RuntimeError, TimeoutError) as error:
            if not self._ending.is_set():
                self._loop.call_soon_threadsafe(self._failed, f"{type(error).__name__}: {error}")

    def _play(self, box: Any) -> None:
        videos, sounds = box.streams.video[:1], box.streams.audio[:1]
        shape = Shape((videos[0].width & ~1, videos[0].height & ~1) if videos else None, bool(sounds))
        self._wait(self._publish(shape))
        resampler = av.AudioResampler("s16", "stereo", RATE, frame_size=RATE // 50)
        behind = True
        for packet in box.demux([*videos, *sounds]):
            for frame in packet.decode():
                if self._ending.is_set():
                    return
                behind = self._pipe.waiting.qsize() > (CAUGHT_UP if behind else BEHIND)
                if behind:
                    continue
                if shape.picture and isinstance(frame, av.VideoFrame):
                    self._show(frame, *shape.picture)
                else:
                    self._sound(resampler.resample(frame))

    async def _publish(self, shape: Shape) -> None:
        await self._tracks.publish(shape)
        await self._published(shape)

    def _show(self, frame: av.VideoFrame, width: int, height: int) -> None:
        pixels = frame.reformat(width, height, "yuv420p").to_ndarray().tobytes()
        self._loop.call_soon_threadsafe(self._tracks.show, width, height, pixels)

    def _sound(self, frames: list[Any]) -> None:
        for frame in frames:
            samples = frame.to_ndarray().tobytes()
            self._wait(self._tracks.play(samples, len(samples) // (2 * CHANNELS)))

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN)
