"""Somewhere that streams are sent on to: an RTMP server of the test's own, which takes one key and keeps what comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from devstack.demo.watching import Watched, watch
from devstack.ingest.rtmp import PublishRefused, Tag, listening
from devstack.ingest.rtmp.flv import HEADER
from devstack.ports import free_port

# Seconds: a worker without encoders holds a connection and says nothing, however long a busy machine takes to look.
GREETING = 600
KEY = "abc-secret-xyz"
SHOWN = "{abc...xyz}"


@dataclass
class Platform:
    """Somewhere to send to, which takes one key."""

    port: int
    tags: list[Tag] = field(default_factory=list)
    hang_up: list[Callable[[], None]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"rtmp://127.0.0.1:{self.port}/app/{KEY}"

    @property
    def shown(self) -> str:
        return f"rtmp://127.0.0.1:{self.port}/app/{SHOWN}"

    async def authorize(self, app: str, key: str, cut: Callable[[], None]) -> "Platform":
        if (app, key) != ("app", KEY):
            raise PublishRefused("another key")
        self.hang_up.append(cut)
        return self

    async def take(self, tag: Tag) -> None:
        self.tags.append(tag)

    async def end(self) -> None:
        self.over.set()

    def watched(self) -> Watched:
        """All that came."""
        return watch(HEADER + b"".join(tag.written() for tag in self.tags))


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    one = Platform(free_port())
    async with listening("127.0.0.1", one.port, one.authorize, GREETING):
        yield one
