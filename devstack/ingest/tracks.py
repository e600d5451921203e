"""A participant's tracks, filled frame by frame."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from livekit import rtc

RATE: Final = 48_000
CHANNELS: Final = 2
# Milliseconds of sound that wait at most: it is they that pace the decoder.
QUEUE: Final = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """What an encoder sends: the size of its picture, and whether there is sound."""

    picture: tuple[int, int] | None
    sound: bool


class Tracks:
    """Published once the shape is known; LiveKit's own ingress takes camera and microphone for their sources as well."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._video: Any = None
        self._audio: Any = None

    async def publish(self, shape: Shape) -> None:
        """Both at once: whoever watches gets them together."""
        tracks: list[tuple[Any, Any]] = []
        if shape.picture:
            self._video = rtc.VideoSource(*shape.picture)
            tracks.append((rtc.LocalVideoTrack.create_video_track("video", self._video), rtc.TrackSource.SOURCE_CAMERA))
        if shape.sound:
            self._audio = rtc.AudioSource(RATE, CHANNELS, queue_size_ms=QUEUE)
            tracks.append((rtc.LocalAudioTrack.create_audio_track("audio", self._audio), rtc.TrackSource.SOURCE_MICROPHONE))
        me = self._room.local_participant
        options = (rtc.TrackPublishOptions(source=source, dtx=False, simulcast=False) for _, source in tracks)
        await asyncio.gather(*(me.publish_track(track, chosen) for (track, _), chosen in zip(tracks, options, strict=True)))

    def show(self, width: int, height: int, pixels: bytes) -> None:
        """A picture in I420."""
        self._video.capture_frame(rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, pixels))

    async def play(self, samples: bytes, number: int) -> None:
        """Returns when there is room for more."""
        await self._audio.capture_frame(rtc.AudioFrame(samples, RATE, CHANNELS, number))
