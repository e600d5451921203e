"""One picture of many: the newest frame of each track, scaled into its box."""

import asyncio
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from livekit import rtc
from numpy.typing import NDArray

from devstack.media.encoding.canvas import BLACK, GREY, Canvas
from devstack.media.encoding.layouts import Box, Tile, boxes
from devstack.media.seat import Source


class _Newest:
    """The newest frame of a track, and how many came before."""

    def __init__(self, tile: Tile) -> None:
        self.tile, self.number, self.drawn = tile, 0, -1
        self.frame: Any = None
        self._scaler = VideoReformatter()

    def take(self, frame: Any) -> None:
        self.frame, self.number = frame, self.number + 1

    def scaled(self, box: Box) -> av.VideoFrame:
        frame = _even(self.frame)
        return self._scaler.reformat(frame, box.width, box.height, "yuv420p", interpolation=Interpolation.BILINEAR)


class Composer:
    """Draws what changed since it was last asked."""

    def __init__(self, layout: str, width: int, height: int, speaker: Callable[[], str]) -> None:
        self._layout, self._speaker, self._canvas = layout, speaker, Canvas(width, height)
        self._newest: dict[str, _Newest] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._arranged: list[tuple[Tile, Box, tuple[int, int] | None]] = []

    def add(self, source: Source) -> None:
        newest = self._newest[source.sid] = _Newest(Tile(source.sid, source.identity, source.screen))
        self._readers[source.sid] = asyncio.create_task(_read(source.track, newest))

    def remove(self, source: Source) -> None:
        self._newest.pop(source.sid, None)
        if reader := self._readers.pop(source.sid, None):
            reader.cancel()

    def draw(self) -> NDArray[np.uint8]:
        """The picture of this moment, from any thread; valid until the next is drawn."""
        newest = dict(self._newest)
        tiles = [one.tile for one in newest.values()]
        placed = boxes(self._layout, tiles, self._speaker(), self._canvas.width, self._canvas.height)
        arranged = [(tile, box, _size(newest[tile.sid].frame)) for tile, box in placed]
        anew = arranged != self._arranged
        if anew:
            self._arranged = arranged
            self._canvas.fill(Box(0, 0, self._canvas.width, self._canvas.height), BLACK)
        for tile, box in placed:
            self._paste(newest[tile.sid], box, anew)
        return self._canvas.pixels

    def _paste(self, newest: _Newest, box: Box, anew: bool) -> None:
        if newest.frame is None:
            self._canvas.fill(box, GREY)
        elif anew or newest.number != newest.drawn:
            newest.drawn = newest.number
            inner = box.fitting(newest.frame.width, newest.frame.height)
            self._canvas.paste(newest.scaled(inner), inner)


def _size(frame: Any) -> tuple[int, int] | None:
    return None if frame is None else (frame.width, frame.height)


def _even(frame: Any) -> av.VideoFrame:
    """LiveKit's frame as the scaler takes it, without an odd last row or column."""
    width, height, chroma = frame.width & ~1, frame.height & ~1, (frame.width + 1) // 2
    luma, *colours = (np.frombuffer(frame.get_plane(number), np.uint8) for number in range(3))
    parts = [luma.reshape(frame.height, frame.width)[:height, :width].ravel()]
    parts += [plane.reshape(-1, chroma)[: height // 2, : width // 2].ravel() for plane in colours]
    return av.VideoFrame.from_ndarray(np.concatenate(parts).reshape(height * 3 // 2, width), format="yuv420p")


async def _read(track: Any, newest: _Newest) -> None:
    stream = rtc.VideoStream(track, capacity=1, format=rtc.VideoBufferType.I420)
    try:
        async for event in stream:
            newest.take(event.frame)
    finally:
        await stream.aclose()
