"""FLV: media as a demuxer reads it, tag after tag."""

from dataclasses import dataclass
from typing import Final

AUDIO: Final = 8
VIDEO: Final = 9
DATA: Final = 18
# Sound and picture follow, and nothing of before.
HEADER: Final = b"FLV\1\5\0\0\0\x09\0\0\0\0"
TAG_HEADER: Final = 11


@dataclass(frozen=True, slots=True)
class Tag:
    """One message of media; `stamp` in milliseconds of the encoder's own clock."""

    kind: int
    stamp: int
    body: bytes

    @property
    def media(self) -> bool:
        """Whether it holds sound or picture, not what describes them: a codec's set-up, or metadata."""
        if self.kind == AUDIO:
            # AAC's first message is its set-up.
            return len(self.body) > 1 and not (self.body[0] >> 4 == _AAC and self.body[1] == 0)
        return self.kind == VIDEO and len(self.body) > 1 and self.body[1] == 1

    def written(self) -> bytes:
        """The tag with its length behind it."""
        low, high = (self.stamp & 0xFFFFFF).to_bytes(3, "big"), bytes([self.stamp >> 24 & 0xFF])
        head = bytes([self.kind]) + len(self.body).to_bytes(3, "big") + low + high + bytes(3)
        return head + self.body + (len(self.body) + TAG_HEADER).to_bytes(4, "big")


_AAC: Final = 10
