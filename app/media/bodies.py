"""Playlists as bytes, made once for all whose right is the same: whose link it is stands in the address, and not in the body."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.recordings.playing.playlist import Elsewhere, Playlist

# Of a stream of 8 hours one has 700 kB.
MOST: Final = 64


@dataclass(frozen=True, slots=True)
class _Body:
    """What was made of a playlist that had come so far."""

    of: Playlist
    elsewhere: Elsewhere
    text: bytes


class Bodies:
    """The newest of a process, by what plays, what stands before the names of its segments, and whether it is an update."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, str, bool], _Body] = OrderedDict()

    def text(self, id: UUID, below: str, played: Playlist, elsewhere: Elsewhere, *, update: bool) -> bytes:
        """The playlist as it stands, made anew when it says something else than before. For whoever was seen to have the right to it."""
        key = (id, below, update)
        known = self._known.get(key)
        if known is None or known.elsewhere != elsewhere or not played.as_far_as(known.of):
            known = self._known[key] = _Body(played, elsewhere, text(below, played, elsewhere, update=update))
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return known.text


def text(below: str, played: Playlist, elsewhere: Elsewhere, *, update: bool) -> bytes:
    """The whole, or what is new to whoever has the rest."""
    return played.update(below, elsewhere) if update else played.whole(below, elsewhere)
