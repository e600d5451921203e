"""The media endpoint of a deployment with a CDN, and links to one stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx2
from starlette.applications import Starlette

from app.media.endpoint import PLAYLIST, MediaEndpoint
from app.media.library import Library
from app.media.links import NOBODY, STREAM, Bearer, LinkKey
from app.media.visitors import Visitors
from domain.recordings.playing.addresses import UNSIGNED
from domain.recordings.playing.visible import Visible
from tests.playback.broadcast import Broadcast, broadcast
from tests.support.domain_setup import BOB, Setup

CDN = "https://cdn.example/media"


@dataclass(slots=True)
class Endpoint:
    live: Broadcast
    http: httpx2.AsyncClient
    key: LinkKey

    def link(self, who: UUID | None = BOB, role: str = "user") -> str:
        """One whose names say whose it is."""
        expiry = int(self.live.on.clock.now().timestamp()) + 3600
        return f"/media/stream/{self.live.stream}/{self.key.sign(STREAM, self.live.stream, Bearer(role, str(who or NOBODY), expiry))}"

    def playback_url(self, who: UUID | None = BOB, role: str = "user") -> str:
        """As GraphQL gives it."""
        return f"{self.link(who, role)}/{PLAYLIST}"

    @property
    def unsigned(self) -> str:
        return f"/media/stream/{self.live.stream}/{UNSIGNED}"

    async def get(self, path: str) -> str:
        """The playlist's text, its own link in it written LINK."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text.replace(path.partition("?")[0].rpartition("/")[2], "LINK")


@asynccontextmanager
async def open_endpoint(on: Setup, live: Broadcast | None = None) -> AsyncIterator[Endpoint]:
    """Of a stream of the channel's members, or of `live`. It knows nothing yet of what others of that stream have told."""
    key = LinkKey(b"a secret of this test")
    library = Library(Visible(on.world), on.store, lambda: on.clock.now().timestamp(), cdn=CDN)
    app = Starlette(routes=MediaEndpoint(Visitors(key, on.clock, "anonymous"), library).routes([]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://rtc.example") as http:
        yield Endpoint(live or await broadcast(on, on.store, "channel_members"), http, key)
