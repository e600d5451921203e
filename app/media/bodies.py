"""Playlists as bytes, kept where many get the same: whoever has no name of their own has the same link as all others."""

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
    """The newest of a process, by stream, link, and whether it is an update."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, str, bool], _Body] = OrderedDict()

    def text(self, id: UUID, link: str, played: Playlist, elsewhere: Elsewhere, *, update: bool) -> bytes:
        """The playlist as it stands, made anew when it has grown."""
        key = (id, link, update)
        known = self._known.get(key)
        if known is None or known.elsewhere != elsewhere or not played.as_far_as(known.of):
            known = self._known[key] = _Body(played, elsewhere, text(link, played, elsewhere, update=update))
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return known.text


def text(link: str, played: Playlist, elsewhere: Elsewhere, *, update: bool) -> bytes:
    """The whole, or what is new to whoever has the rest."""
    return played.update(link, elsewhere) if update else played.whole(link, elsewhere)
