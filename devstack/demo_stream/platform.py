"""A platform that the stream is sent on to: an RTMP server that takes one key, and knows what it was shown last."""

import asyncio
import io
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import av

from devstack.demo_stream.colours import name_of
from devstack.ingest.rtmp import PublishRefused, Tag, listening
from devstack.ingest.rtmp.flv import HEADER, VIDEO
from devstack.ports import free_port

APP: Final = "live"
KEY_FRAME: Final = 1


@dataclass(slots=True)
class Platform:
    """`over` is set when the sender has gone."""

    port: int = field(default_factory=free_port)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _setup: bytes = b""
    # From the last key frame on: enough to decode, and no more.
    _pictures: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"rtmp://127.0.0.1:{self.port}/{APP}"

    async def authorize(self, app: str, key: str, _cut: Callable[[], None]) -> "Platform":
        if (app, key) != (APP, self.key):
            raise PublishRefused("another key")
        return self

    async def take(self, tag: Tag) -> None:
        if tag.kind != VIDEO:
            return
        if not tag.media:
            self._setup = self._setup or tag.written()
            return
        if tag.body[0] >> 4 == KEY_FRAME:
            self._pictures.clear()
        self._pictures.append(tag.written())
        self._came.set()

    async def end(self) -> None:
        self.over.set()

    async def shows(self, colour: str) -> None:
        """Waits until the picture that came last has this colour."""
        shown = None
        while shown != colour:
            self._came.clear()
            await self._came.wait()
            shown = await asyncio.to_thread(_last_colour, HEADER + self._setup + b"".join(self._pictures))


def _last_colour(media: bytes) -> str | None:
    """None of what holds no picture."""
    box: Any
    with av.open(io.BytesIO(media), "r", format="flv") as box:
        for picture in deque(box.decode(video=0), maxlen=1):
            return name_of(picture.to_ndarray(format="rgb24")[picture.height // 2, picture.width // 2])
    return None


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """Takes senders inside the block."""
    one = Platform()
    async with listening("127.0.0.1", one.port, one.authorize):
        yield one
