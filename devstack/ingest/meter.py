"""What comes from an encoder, measured from one report to the next."""

import time
from typing import Any, Final

from devstack.ingest.rtmp import Tag
from devstack.ingest.rtmp.flv import VIDEO

# Less than this says nothing.
SHORTEST: Final = 0.5


class Meter:
    """Counts media; `read` writes the averages since the last time into a state."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._sound = self._picture = self._frames = 0

    def count(self, tag: Tag) -> None:
        if not tag.media:
            return
        if tag.kind == VIDEO:
            self._picture += len(tag.body)
            self._frames += 1
        else:
            self._sound += len(tag.body)

    def read(self, state: Any) -> None:
        """Bits and frames a second; what has only begun stays unsaid."""
        seconds = time.monotonic() - self._since
        if seconds < SHORTEST:
            return
        if state.HasField("video"):
            state.video.average_bitrate = int(self._picture * 8 / seconds)
            state.video.framerate = self._frames / seconds
        if state.HasField("audio"):
            state.audio.average_bitrate = int(self._sound * 8 / seconds)
        self._since += seconds
        self._sound = self._picture = self._frames = 0
