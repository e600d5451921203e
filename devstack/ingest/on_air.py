"""One encoder on the air: its media becomes a participant's tracks, and livekit-server hears how it goes.

BUFFERING until the tracks stand, PUBLISHING while they are filled, told again every minute with what was measured meanwhile; then INACTIVE,
or ERROR with words.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from livekit import api, rtc

from devstack.ingest.decoder import Decoder
from devstack.ingest.knobs import Knobs
from devstack.ingest.meter import Meter
from devstack.ingest.rtmp import PublishRefused, Tag
from devstack.ingest.tracks import CHANNELS, RATE, Shape, Tracks
from devstack.media.bus.channels import new_id
from devstack.media.seat import Site

log = structlog.get_logger()
JOIN_WITHIN: Final = 10.0
Status = api.IngressState
# Hands a state to livekit-server; the last one until it has it.
Report = Callable[[str, Any], Awaitable[None]]


class OnAir:
    """`info` is the ingress as livekit-server knows it; `cut` ends the encoder's connection."""

    def __init__(self, info: Any, site: Site, knobs: Knobs, report: Report, cut: Callable[[], None]) -> None:
        self.info, self._site, self._knobs, self._report, self._cut = info, site, knobs, report, cut
        self.state = Status(status=Status.ENDPOINT_BUFFERING, started_at=time.time_ns(), resource_id=new_id("RT_"))
        self._room, self._meter = rtc.Room(), Meter()
        self._decoder = Decoder(Tracks(self._room), self._published, self._fail)
        self._ending: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Joins the room. Raises PublishRefused."""
        await self._tell(Status.ENDPOINT_BUFFERING)
        try:
            async with asyncio.timeout(JOIN_WITHIN):
                await self._room.connect(self._site.url, participant_token(self._site, self.info), rtc.RoomOptions(auto_subscribe=False))
        except (rtc.ConnectError, TimeoutError) as error:
            self.state.error, self.state.ended_at = "the room can't be joined", time.time_ns()
            await self._tell(Status.ENDPOINT_ERROR)
            raise PublishRefused("the room can't be joined") from error
        self.state.room_id = await self._room.sid
        self._room.on("disconnected", lambda *_: self._end_soon())
        self._decoder.start()

    async def take(self, tag: Tag) -> None:
        """Raises ConnectionResetError once it has ended."""
        if self._ending is not None:
            raise ConnectionResetError("cut off")
        self._meter.count(tag)
        self._decoder.write(tag.written())
        if self._knobs.throttle_kbps:
            await asyncio.sleep(len(tag.body) * 8 / 1000 / self._knobs.throttle_kbps)

    async def end(self) -> None:
        """Returns when the participant is gone and livekit-server knows it."""
        await asyncio.shield(self._end_soon())

    def _end_soon(self) -> "asyncio.Task[None]":
        if self._ending is None:
            self._ending = asyncio.create_task(self._leave())
        return self._ending

    async def _leave(self) -> None:
        self._cut()
        if self._telling is not None:
            self._telling.cancel()
        await self._decoder.end()
        await self._room.disconnect()
        self._meter.read(self.state)
        self.state.ended_at = time.time_ns()
        await self._tell(Status.ENDPOINT_ERROR if self.state.error else Status.ENDPOINT_INACTIVE)
        log.info("encoder_off_air", ingress=self.info.ingress_id, error=self.state.error)

    async def _published(self, shape: Shape) -> None:
        if shape.picture:
            self.state.video.width, self.state.video.height = shape.picture
            self.state.video.mime_type = "video/h264"
        if shape.sound:
            self.state.audio.channels, self.state.audio.sample_rate, self.state.audio.mime_type = CHANNELS, RATE, "audio/aac"
        await self._tell(Status.ENDPOINT_PUBLISHING)
        self._telling = asyncio.create_task(self._keep_telling())
        log.info("encoder_on_air", ingress=self.info.ingress_id, picture=shape.picture, sound=shape.sound)

    async def _keep_telling(self) -> None:
        while True:
            await asyncio.sleep(self._knobs.report_seconds)
            self._meter.read(self.state)
            await self._tell(Status.ENDPOINT_PUBLISHING)

    async def _tell(self, status: Any) -> None:
        self.state.status, self.state.updated_at = status, time.time_ns()
        told = Status()
        told.CopyFrom(self.state)
        await self._report(self.info.ingress_id, told)

    def _fail(self, words: str) -> None:
        if self._ending is None:
            self.state.error = words
            self._end_soon()


def participant_token(site: Site, info: Any) -> str:
    """Of the participant that the ingress names: it publishes, and sees nobody."""
    grants = api.VideoGrants(room_join=True, room=info.room_name, can_publish=True, can_publish_data=False, can_subscribe=False)
    signer = api.AccessToken(site.api_key, site.api_secret).with_identity(info.participant_identity).with_name(info.participant_name)
    return signer.with_metadata(info.participant_metadata).with_kind("ingress").with_grants(grants).to_jwt()
