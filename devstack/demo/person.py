"""Somebody in the call: a real LiveKit participant that publishes a tone, hears others and shares a screen."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import rtc

from devstack.demo import tone

FACE = (320, 180)


@dataclass(slots=True)
class DemoPerson:
    """`hertz` is the tone this person sings, by which the others know them; `identity` is the user's id, as in the room."""

    name: str
    identity: str
    token: str
    hertz: float
    room: rtc.Room | None = None
    singing: asyncio.Task[None] | None = None
    showing: asyncio.Task[None] | None = None
    sharing: rtc.LocalTrackPublication | None = None
    leaving: bool = False
    removed: asyncio.Event = field(default_factory=asyncio.Event)
    _window: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int16))

    async def enter(self, payload: dict[str, Any]) -> None:
        """Joins the room with what initiateCall, acceptCall or joinCall answered."""
        self.removed.clear()
        self.room = rtc.Room()
        self.room.on("disconnected", lambda *_: self.removed.set())
        await self.room.connect(payload["serverUrl"], payload["token"], rtc.RoomOptions(auto_subscribe=True))

    async def sing(self) -> None:
        """Publishes the microphone and keeps the tone going."""
        assert self.room is not None  # noqa: S101
        # A short queue: who changes the tone is heard to do so at once.
        source = rtc.AudioSource(tone.RATE, 1, queue_size_ms=50)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        await self.room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
        self.singing = asyncio.create_task(self._keep_singing(source))

    async def _keep_singing(self, source: rtc.AudioSource) -> None:
        n = 0
        while not self.leaving:
            await source.capture_frame(tone.frame(self.hertz, n))  # paced by the source itself
            n += 1

    async def hear(self, other: "DemoPerson") -> None:
        """Returns once the other's tone is found in the frames received from them."""
        async for event in rtc.AudioStream.from_track(track=await self._track_of(other), sample_rate=tone.RATE, num_channels=1):
            heard = np.frombuffer(event.frame.data, dtype=np.int16)
            self._window = np.concatenate([self._window, heard])[-tone.RATE // 4 :]
            if len(self._window) == tone.RATE // 4 and tone.is_heard(self._window, tone.RATE, other.hertz):
                return

    async def _track_of(self, other: "DemoPerson") -> rtc.Track:
        """The other's microphone, as soon as it is subscribed."""
        assert self.room is not None  # noqa: S101
        self._window = np.zeros(0, dtype=np.int16)
        found: asyncio.Future[rtc.Track] = asyncio.get_running_loop().create_future()

        def look(*_: object) -> None:
            for participant in self.room.remote_participants.values() if self.room else ():
                for publication in participant.track_publications.values():
                    if (
                        participant.identity == other.identity
                        and publication.track
                        and publication.kind == rtc.TrackKind.KIND_AUDIO
                        and not found.done()
                    ):
                        found.set_result(publication.track)

        self.room.on("track_subscribed", look)
        look()
        return await found

    async def show_face(self, colour: tuple[int, int, int]) -> None:
        """Publishes a camera that sees nothing but this colour."""
        assert self.room is not None  # noqa: S101
        source = rtc.VideoSource(*FACE)
        track = rtc.LocalVideoTrack.create_video_track("camera", source)
        await self.room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA))
        self.showing = asyncio.create_task(self._keep_showing(source, colour))

    async def _keep_showing(self, source: rtc.VideoSource, colour: tuple[int, int, int]) -> None:
        frame = rtc.VideoFrame(*FACE, rtc.VideoBufferType.RGBA, bytes((*colour, 255)) * (FACE[0] * FACE[1]))
        while not self.leaving:
            source.capture_frame(frame)
            await asyncio.sleep(0.1)

    async def show_screen(self) -> None:
        assert self.room is not None  # noqa: S101
        source = rtc.VideoSource(320, 180)
        track = rtc.LocalVideoTrack.create_video_track("screen", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_SCREENSHARE)
        self.sharing = await self.room.local_participant.publish_track(track, options)
        source.capture_frame(rtc.VideoFrame(320, 180, rtc.VideoBufferType.RGBA, bytes(320 * 180 * 4)))

    async def hide_screen(self) -> None:
        assert self.room is not None and self.sharing is not None  # noqa: S101
        await self.room.local_participant.unpublish_track(self.sharing.sid)

    async def leave(self) -> None:
        """Leaves as a browser that closes its tab."""
        self.leaving = True
        # Not cancelled: the SDK complains about a frame whose sender is gone.
        await asyncio.gather(*(task for task in (self.singing, self.showing) if task is not None), return_exceptions=True)
        self.singing = self.showing = None
        if self.room is not None:
            await self.room.disconnect()
            self.room = None
        self.leaving = False
