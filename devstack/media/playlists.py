"""Playlists as text: one that keeps everything and grows, and the sliding one that is made of it."""

import posixpath
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

# Entries of the playlist that slides.
WINDOW: Final = 5
_OF_AN_ENTRY: Final = ("#EXTINF", "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-DISCONTINUITY")


@dataclass(slots=True)
class EventPlaylist:
    """Of segments that lie beside it; `seconds` is the longest a segment becomes."""

    seconds: int
    _entries: list[str] = field(default_factory=list)

    def add(self, name: str, seconds: float, began: float) -> None:
        """A segment of this length whose first frame is of this moment."""
        moment = datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._entries.append(f"#EXT-X-PROGRAM-DATE-TIME:{moment}\n#EXTINF:{seconds:.6f},\n{posixpath.basename(name)}\n")

    def text(self, *, ended: bool) -> str:
        head = f"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{self.seconds}\n#EXT-X-MEDIA-SEQUENCE:0\n"
        tail = "#EXT-X-ENDLIST\n" if ended else ""
        return f"{head}#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n{''.join(self._entries)}{tail}"


def sliding(playlist: str) -> str:
    """The last entries of a playlist that keeps everything, numbered as in it."""
    head: list[str] = []
    entries: list[list[str]] = []
    entry: list[str] = []
    for line in playlist.splitlines():
        if line.startswith(_OF_AN_ENTRY):
            entry.append(line)
        elif not line.startswith("#"):
            entries.append([*entry, line])
            entry = []
        elif not line.startswith(("#EXT-X-PLAYLIST-TYPE", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-ENDLIST")):
            head.append(line)
    kept = entries[-WINDOW:]
    tail = ["#EXT-X-ENDLIST"] if "#EXT-X-ENDLIST" in playlist else []
    lines = [*head, f"#EXT-X-MEDIA-SEQUENCE:{len(entries) - len(kept)}", *(line for one in kept for line in one), *tail]
    return "\n".join(lines) + "\n"
