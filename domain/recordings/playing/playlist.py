"""One playlist of all parts (RFC 8216, and its second edition for the updates): it begins with the first segment, only grows, and ends
with the recording."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from domain.recordings.playing.part_segments import LINK, KnownSegments, PartSegments
from domain.recordings.playing.visible import VisiblePart

CONTENT_TYPE: Final = "application/vnd.apple.mpegurl"
# Seconds of the end that an update tells again, six longest segments at least. A player that is further behind than half of it asks for
# the whole.
SKIP_UNTIL: Final = 90
# Of what is over although its playlist does not say so yet: a player begins where it began, not where it ended.
FROM_START: Final = b"#EXT-X-START:TIME-OFFSET=0\n"
DISCONTINUITY: Final = b"#EXT-X-DISCONTINUITY\n"
END: Final = b"#EXT-X-ENDLIST\n"


@dataclass(frozen=True, slots=True)
class Played:
    """A part as far as it had come: so many of its segments."""

    segments: PartSegments
    count: int

    @property
    def seconds(self) -> float:
        return sum(self.segments.seconds[: self.count])


# By a part's index: what stands before its segments' names where they lie elsewhere than below the playlist.
Elsewhere = Mapping[int, str]
NOWHERE: Final[Elsewhere] = {}


@dataclass(frozen=True, slots=True)
class Playlist:
    """The parts that play, and whether nothing more comes; `over`: what is played has ended, whether or not all of it is there yet.
    No segment is longer than `target` seconds, rounded."""

    parts: Sequence[Played]
    ended: bool
    over: bool
    target: int

    @property
    def empty(self) -> bool:
        return not self.parts

    def whole(self, link: str, elsewhere: Elsewhere = NOWHERE) -> bytes:
        """All of it, each segment below `link`, a relative name, or `elsewhere`."""
        return self._text(0, link, elsewhere)

    def update(self, link: str, elsewhere: Elsewhere = NOWHERE) -> bytes:
        """What is new to whoever has the rest (EXT-X-SKIP); the whole of a short one."""
        return self._text(self._skippable(), link, elsewhere)

    def as_far_as(self, other: "Playlist") -> bool:
        """It says what the other one says, of segments that are the same in memory."""
        if (self.ended, self.over, len(self.parts)) != (other.ended, other.over, len(other.parts)):
            return False
        return all(one.segments is two.segments and one.count == two.count for one, two in zip(self.parts, other.parts, strict=True))

    def _text(self, skipped: int, link: str, elsewhere: Elsewhere) -> bytes:
        start = [FROM_START] if self.over and not self.ended else []
        skip = [f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}\n".encode()] if skipped else []
        return b"".join([self._head(), *start, *skip, *self._entries(skipped, link, elsewhere), *[END] * self.ended])

    def _head(self) -> bytes:
        return (
            f"#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:{self.target}\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL={self._skip_until}.0\n"
            "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        ).encode()

    @property
    def _skip_until(self) -> int:
        return max(SKIP_UNTIL, 6 * self.target)

    def _entries(self, skipped: int, link: str, elsewhere: Elsewhere) -> Iterator[bytes]:
        for place, part in enumerate(self.parts):
            if skipped < part.count:
                if place and not skipped:
                    yield DISCONTINUITY
                index = part.segments.index
                below = elsewhere.get(index, f"{link}/{index}/")
                yield b"".join(part.segments.entries[skipped : part.count]).replace(f"{LINK}/{index}/".encode(), below.encode())
            skipped = max(0, skipped - part.count)

    def _skippable(self) -> int:
        """How many segments lie before the end that an update tells."""
        left, skipped = float(self._skip_until), sum(part.count for part in self.parts)
        for part in reversed(self.parts):
            for seconds in reversed(part.segments.seconds[: part.count]):
                if left <= 0:
                    return skipped
                left, skipped = left - seconds, skipped - 1
        return 0


async def compose(known: KnownSegments, parts: Sequence[VisiblePart], *, ended: bool, over: bool = False) -> Playlist:
    """Of parts in their order. Raises StorageError.

    What follows a part that its recorder may still add to has to wait: nothing is ever put before what was shown. A recorder whose own
    playlist has its end adds nothing, for as long as it may still upload a file.
    """
    played: list[Played] = []
    for part in parts:
        segments = await known.of(part)
        if count := len(segments.entries):
            played.append(Played(segments, count))
        if not (part.closed or segments.complete):
            break
    # A store that does not answer now may have more.
    return Playlist(played, ended and all(part.segments.final for part in played), over, _target(parts, played))


def target_duration(segment_seconds: int) -> int:
    """What a playlist says from its first line on of segments that are asked to be so long: half as long again is the longest that a
    recorder makes of one."""
    return ceil(1.5 * segment_seconds)


def _target(parts: Sequence[VisiblePart], played: Sequence[Played]) -> int:
    """It never changes, since all parts of a recording ask for the same; unless a recorder made a segment that is longer all the same:
    players may refuse one that is longer than what the playlist says."""
    asked = max((target_duration(part.segment_seconds) for part in parts), default=1)
    return max([asked, *(floor(part.segments.longest + 0.5) for part in played)])
