"""Somebody who can be found again in a recording: a tone, and a picture of one colour."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc

from devstack.demo import tone
from tests.livekit.targets import RealPerson
from tests.support.waiting import eventually

SIZE = (320, 180)
# Frames of sound (10 ms) to one of the picture.
SOUNDS_A_PICTURE = 10


@dataclass
class Performer:
    """`colour` is (red, green, blue); None sings without a picture."""

    person: RealPerson
    hertz: float
    colour: tuple[int, int, int] | None = None
    tracks: dict[str, str] = field(default_factory=dict)
    _sung: int = 0
    _leaving: bool = False
    _singing: "asyncio.Task[None] | None" = None

    async def begin(self) -> None:
        sound = rtc.AudioSource(tone.RATE, 1)
        voice = rtc.LocalAudioTrack.create_audio_track("voice", sound)
        self.tracks["audio"] = await self._publish(voice, rtc.TrackSource.SOURCE_MICROPHONE)
        picture = None
        if self.colour:
            picture = rtc.VideoSource(*SIZE)
            track = rtc.LocalVideoTrack.create_video_track("face", picture)
            self.tracks["video"] = await self._publish(track, rtc.TrackSource.SOURCE_CAMERA)
        self._singing = asyncio.create_task(self._perform(sound, picture))

    async def sing_for(self, seconds: float) -> None:
        """Returns when so much more was sung and shown."""
        until = self._sung + seconds * tone.RATE / tone.FRAME

        async def so() -> bool:
            return self._sung >= until

        await eventually(so, seconds=10 * seconds)

    async def end(self) -> None:
        """Falls silent and leaves."""
        self._leaving = True
        if self._singing is not None:
            await self._singing
        await self.person.leave()

    async def _publish(self, track: Any, source: Any) -> str:
        async with asyncio.timeout(10):
            publication = await self.person.room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=source))
        return str(publication.sid)

    async def _perform(self, sound: rtc.AudioSource, picture: rtc.VideoSource | None) -> None:
        """Paced by the sound's own queue."""
        frame = rtc.VideoFrame(*SIZE, rtc.VideoBufferType.RGBA, bytes((*(self.colour or (0, 0, 0)), 255)) * (SIZE[0] * SIZE[1]))
        while not self._leaving:
            if picture is not None and self._sung % SOUNDS_A_PICTURE == 0:
                picture.capture_frame(frame)
            await sound.capture_frame(tone.frame(self.hertz, self._sung))
            self._sung += 1
