"""A recording without media: the objects of a real one at their times and under their names, each holding a line of text.

For tests of states and orders, which need no encoder: a second of it costs a few uploads.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from devstack.media.outputs import ImagesOutput, Outputs, SegmentsOutput
from devstack.media.plan import Plan
from devstack.media.playlists import EventPlaylist
from devstack.media.seat import Seat
from devstack.media.storage import UploadFailed
from devstack.media.take import Tell

RTMP_PORT: Final = 1935


class BlankTake:
    """Writes a segment each segment's length and a picture each interval, the rest at the end."""

    def __init__(self, _plan: Plan, _seat: Seat, outputs: Outputs, failed: Tell) -> None:
        self._outputs, self._failed = outputs, failed
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = asyncio.Event()

    async def begin(self) -> None:
        if segments := self._outputs.segments:
            self._tasks.append(asyncio.create_task(self._write_segments(segments)))
        self._tasks += [asyncio.create_task(self._write_images(images)) for images in self._outputs.images]
        for task in self._tasks:
            task.add_done_callback(self._tell)

    async def send(self, url: str, failed: Callable[[str], None]) -> "_Held":
        return _Held(asyncio.create_task(_hold(url, failed)))

    async def end(self) -> None:
        self._ending.set()
        await asyncio.gather(*self._tasks)
        if file := self._outputs.file:
            await asyncio.to_thread(file.put, b"a file without media\n")

    async def _write_segments(self, output: SegmentsOutput) -> None:
        playlist = EventPlaylist(output.wanted.seconds)
        ended = False
        while not ended:
            began, name = time.time(), output.name_of_next()
            ended = await self._ends_within(output.wanted.seconds)
            await asyncio.to_thread(output.put_segment, name, f"{name}, without media\n".encode())
            playlist.add(name, time.time() - began, began)
            await asyncio.to_thread(output.put_playlist, playlist.text(ended=ended))

    async def _write_images(self, output: ImagesOutput) -> None:
        ended = False
        while not ended:
            await asyncio.to_thread(output.put, b"a picture of nothing\n")
            ended = await self._ends_within(output.wanted.seconds)

    async def _ends_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._ending.wait()
        except TimeoutError:
            return False

    def _tell(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and isinstance(error := task.exception(), UploadFailed):
            self._failed(error)


@dataclass(slots=True)
class _Held:
    """`Sending` of nothing: a connection that is held open."""

    holding: "asyncio.Task[None]"

    async def end(self) -> None:
        self.holding.cancel()
        await asyncio.wait([self.holding])


async def _hold(url: str, failed: Callable[[str], None]) -> None:
    """Connects, says nothing, and fails when it is hung up on."""
    where = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(where.hostname, where.port or RTMP_PORT)
        try:
            await reader.read()
        finally:
            writer.close()
    except OSError as error:
        failed(type(error).__name__)
    else:
        failed("ConnectionResetError")
