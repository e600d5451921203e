"""A host who sends from a browser: a client that publishes pictures, counts them, and reports to the service what it counted."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from livekit import rtc

from devstack.demo.service import DemoService
from devstack.demo.story import mutation

WIDTH, HEIGHT, RATE = 160, 90, 25.0
# Seconds between two reports, as docs/clients.md tells clients.
REPORTS: Final = 5.0


class BrowserHost:
    """`rate` is how many pictures a second it sends."""

    def __init__(self, service: DemoService, token: str, stream_id: str) -> None:
        self.rate, self._sent = RATE, 0
        self._service, self._token, self._stream_id = service, token, stream_id
        self._source = rtc.VideoSource(WIDTH, HEIGHT)

    async def enter(self, room: rtc.Room) -> None:
        track = rtc.LocalVideoTrack.create_video_track("camera", self._source)
        await room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA))

    async def send(self) -> None:
        """Pictures, until it is cancelled."""
        picture = rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.I420, bytes(WIDTH * HEIGHT * 3 // 2))
        while True:
            self._source.capture_frame(picture)
            self._sent += 1
            await asyncio.sleep(1 / self.rate)

    async def report(self) -> None:
        """What was counted since the last report, until it is cancelled."""
        before, since = self._sent, time.monotonic()
        while True:
            await asyncio.sleep(REPORTS)
            fps = (self._sent - before) / (time.monotonic() - since)
            before, since = self._sent, time.monotonic()
            stats = {"fps": round(fps, 1), "targetFps": RATE, "width": WIDTH, "height": HEIGHT}
            given = {"streamId": self._stream_id, "stats": stats}
            await self._service.ask(self._token, mutation("reportStreamHealth", "streamId"), input=given)


@asynccontextmanager
async def browser_host(service: DemoService, token: str, *, stream_id: str, room_token: str, room_url: str) -> AsyncIterator[BrowserHost]:
    """Sends and reports inside the block."""
    room, host = rtc.Room(), BrowserHost(service, token, stream_id)
    await room.connect(room_url, room_token)
    await host.enter(room)
    running = [asyncio.create_task(host.send()), asyncio.create_task(host.report())]
    try:
        yield host
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await room.disconnect()
