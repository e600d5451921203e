"""A hidden participant of a room: takes the tracks that a plan wants, and notices when there is nothing left to wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from livekit import api, rtc

from devstack.media.plan import Plan

log = structlog.get_logger()
CONNECT_TIMEOUT: Final = 15.0


@dataclass(frozen=True, slots=True)
class Site:
    """The LiveKit whose rooms are recorded: its address for clients, and the key pair that signs the worker's own tokens."""

    url: str
    api_key: str
    api_secret: str

    def token(self, room_name: str, identity: str) -> str:
        """Of a recorder: hidden, hears and sees, publishes nothing."""
        grants = api.VideoGrants(
            room_join=True, room=room_name, can_publish=False, can_publish_data=False, can_subscribe=True, hidden=True, recorder=True
        )
        return api.AccessToken(self.api_key, self.api_secret).with_identity(identity).with_kind("egress").with_grants(grants).to_jwt()


@dataclass(frozen=True, slots=True)
class Source:
    """A subscribed track and whose it is."""

    sid: str
    identity: str
    audio: bool
    screen: bool
    track: Any


class Seat:
    """`media` is set at the first wanted track; `closed` is called once, when the room, the person or the tracks are gone.

    Who follows the sources sets `added` and `removed` before taking the seat.
    """

    def __init__(self, plan: Plan, closed: Callable[[], None]) -> None:
        self._plan, self._closed = plan, closed
        self._room = rtc.Room()
        self.media = asyncio.Event()
        self.sources: dict[str, Source] = {}
        self.speaker = ""
        self.added: Callable[[Source], None] = lambda _source: None
        self.removed: Callable[[Source], None] = lambda _source: None

    @asynccontextmanager
    async def taken(self, site: Site, identity: str) -> AsyncIterator[None]:
        """In the room inside the block. Raises rtc.ConnectError or TimeoutError when it can't be joined."""
        room = self._room
        room.on("track_published", self._choose)
        room.on("track_subscribed", self._add)
        room.on("track_unsubscribed", lambda _track, publication, _who: self._remove(publication.sid))
        room.on("participant_disconnected", self._gone)
        room.on("active_speakers_changed", self._spoke)
        room.on("disconnected", lambda *_: self._closed())
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await room.connect(site.url, site.token(self._plan.room_name, identity), rtc.RoomOptions(auto_subscribe=False))
        try:
            for who in room.remote_participants.values():
                for publication in who.track_publications.values():
                    self._choose(publication, who)
            yield
        finally:
            for sid in list(self.sources):
                self._remove(sid)
            await room.disconnect()

    def missing(self) -> str | None:
        """Words for the person or track that the plan names and the room has not."""
        people = self._room.remote_participants.values()
        if self._plan.identity and self._plan.identity not in {who.identity for who in people}:
            return f"participant {self._plan.identity} not found"
        there = {sid for who in people for sid in who.track_publications}
        return next((f"track {sid} not found" for sid in sorted(self._plan.tracks - there)), None)

    def _choose(self, publication: Any, who: Any) -> None:
        plan = self._plan
        audio = publication.kind == rtc.TrackKind.KIND_AUDIO
        if not (plan.audio if audio else plan.picture):
            return
        if (plan.identity and who.identity != plan.identity) or (plan.tracks and publication.sid not in plan.tracks):
            return
        if plan.kind == "participant" and plan.screen_share != (publication.source in _OF_A_SCREEN):
            return
        publication.set_subscribed(True)

    def _add(self, track: Any, publication: Any, who: Any) -> None:
        audio = publication.kind == rtc.TrackKind.KIND_AUDIO
        source = Source(publication.sid, who.identity, audio, publication.source in _OF_A_SCREEN, track)
        self.sources[source.sid] = source
        self.added(source)
        self.media.set()

    def _remove(self, sid: str) -> None:
        if source := self.sources.pop(sid, None):
            self.removed(source)
            if self._plan.tracks and not self.sources:
                self._closed()

    def _gone(self, who: Any) -> None:
        if who.identity == self._plan.identity:
            self._closed()

    def _spoke(self, speakers: list[Any]) -> None:
        if speakers:
            self.speaker = speakers[0].identity


_OF_A_SCREEN: Final = (rtc.TrackSource.SOURCE_SCREENSHARE, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)
