"""What is behind each kind of link, for whoever still sees it at this moment."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.media.addresses import STREAM_LIFE, PieceAddresses
from app.media.bodies import Bodies, text
from app.media.cdn import Cdn
from app.media.manifests import CONTENT_TYPE as DASH_TYPE
from app.media.manifests import Manifests
from domain.recording_ports import ObjectStore
from domain.recordings.part_keys import PartKeys
from domain.recordings.playing import playlist, storyboard
from domain.recordings.playing.part_segments import NAME as SEGMENT_NAME
from domain.recordings.playing.part_segments import KnownSegments
from domain.recordings.playing.storyboard import Storyboards
from domain.recordings.playing.visible import Visible, VisiblePart
from permissions.session import Session

# A browser's seek asks the address behind the link again, for as long as somebody watches.
WATCHED_BESIDES: Final = 15 * 60
LONGEST: Final = 12 * 3600
# What pieces are called, by the kind of link that names them.
NAMES: Final[Mapping[str, re.Pattern[str]]] = {
    "playlist": SEGMENT_NAME,
    "part-playlist": SEGMENT_NAME,
    "stream": SEGMENT_NAME,
    "storyboard": storyboard.NAME,
    "dash": re.compile(r"(init-stream[0-9]|chunk-stream[0-9]-[0-9]{5,9})\.m4s"),
}
# As many parts as PostgreSQL's integer counts.
LAST_INDEX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Text:
    """A body of our own."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The store's presigned address."""

    address: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A link followed: by whom, to what, and how its own last part reads. `update`: a player has the rest of the playlist already.

    `shared`: all who have no name follow the same.
    """

    session: Session
    id: UUID
    token: str
    update: bool = False
    shared: bool = False


Found = Text | Elsewhere | None


class Library:
    """Each method gives None for what does not exist, and alike for what this person does not see. StorageError: the store is away.

    `cdn` is where everybody who knows the keys of objects reads them.
    """

    def __init__(self, visible: Visible, store: ObjectStore, now: Callable[[], float] = time.monotonic, *, cdn: Cdn | None = None) -> None:
        self._visible, self._store, self._cdn, self._bodies = visible, store, cdn, Bodies()
        self._manifests = Manifests(store, now)
        self._segments, self._storyboards = KnownSegments(store, now), Storyboards(store, now)
        self._pieces, self._live_pieces = PieceAddresses(store, now), PieceAddresses(store, now, life=STREAM_LIFE)

    @property
    def shelves(self) -> Mapping[str, Callable[[Asked], Awaitable[Found]]]:
        """By the kind that a link names."""
        return {
            "recording": self._file,
            "part": self._part_file,
            "thumbnail": self._thumbnail,
            "playlist": self._playlist,
            "part-playlist": self._part_playlist,
            "storyboard": self._storyboard,
            "stream": self._stream,
            "dash": self._dash,
        }

    async def piece(self, kind: str, asked: Asked, index: int, name: str) -> Found:
        """A segment or a picture that a playlist or a storyboard names, by its part and its own name."""
        names = NAMES.get(kind)
        if names is None or names.fullmatch(name) is None or index > LAST_INDEX:
            return None
        if kind == "part-playlist":
            part = await self._visible.part(asked.session, asked.id)
            keys = part.keys if part is not None and part.index == index else None
            found = None if part is None or keys is None else (keys, part.bucket)
        elif kind == "dash":
            made = await self._visible.dash(asked.session, asked.id)
            found = None if made is None or index else (PartKeys(made[0]), made[1])
        elif kind == "stream":
            found = await self._visible.stream_prefix(asked.session, asked.id, index)
        else:
            found = await self._visible.prefix(asked.session, asked.id, index)
        pieces = self._live_pieces if kind in ("stream", "dash") else self._pieces
        return None if found is None else Elsewhere(pieces.of(found[0].of(name), found[1]))

    async def _file(self, asked: Asked) -> Found:
        found = await self._visible.recording(asked.session, asked.id)
        return None if found is None else self._presigned(found.file_path, found.seconds, found.bucket)

    async def _part_file(self, asked: Asked) -> Found:
        found = await self._visible.part(asked.session, asked.id)
        return None if found is None else self._presigned(found.file_path, found.seconds, found.bucket)

    async def _thumbnail(self, asked: Asked) -> Found:
        found = await self._visible.recording(asked.session, asked.id)
        return None if found is None or found.thumbnail_path is None else Elsewhere(self._pieces.of(found.thumbnail_path, found.bucket))

    async def _playlist(self, asked: Asked) -> Found:
        found = await self._visible.playlist(asked.session, asked.id)
        if found is None:
            return None
        recording, parts = found
        return _shown(await playlist.compose(self._segments, parts, ended=recording.final), asked)

    async def _part_playlist(self, asked: Asked) -> Found:
        part = await self._visible.part(asked.session, asked.id)
        return None if part is None else _shown(await playlist.compose(self._segments, [part], ended=part.status == "ready"), asked)

    async def _stream(self, asked: Asked) -> Found:
        """While it is live and afterwards, by the right to see the stream. Parts that the CDN may have come from there as long as
        everybody may watch."""
        found = await self._visible.stream(asked.session, asked.id)
        if found is None or found.recording is None:
            return None
        over = found.status in ("ending", "ended")
        played = await playlist.compose(self._segments, found.parts, ended=found.recording.final, over=over)
        if played.empty:
            return None
        elsewhere = self._on_cdn(found.parts) if found.public else playlist.NOWHERE
        if asked.shared:
            body = self._bodies.text(asked.id, asked.token, played, elsewhere, update=asked.update)
        else:
            body = text(asked.token, played, elsewhere, update=asked.update)
        return Text(body, playlist.CONTENT_TYPE)

    def _on_cdn(self, parts: Sequence[VisiblePart]) -> playlist.Elsewhere:
        """What the CDN has of them."""
        if self._cdn is None:
            return playlist.NOWHERE
        addresses = {part.index: self._cdn.address(part.path_prefix or "", part.bucket) for part in parts if part.all_on_cdn}
        return {index: address for index, address in addresses.items() if address is not None}

    async def _dash(self, asked: Asked) -> Found:
        """The same as DASH, where the deployment has that."""
        found = await self._visible.dash(asked.session, asked.id)
        body = None if found is None else await self._manifests.of(*found, asked.token)
        return None if body is None else Text(body, DASH_TYPE)

    async def _storyboard(self, asked: Asked) -> Found:
        found = await self._visible.playlist(asked.session, asked.id)
        if found is None:
            return None
        played = await playlist.compose(self._segments, found[1], ended=found[0].final)
        cues = await self._storyboards.text(found[1], played, asked.token)
        return None if played.empty else Text(cues.encode(), storyboard.CONTENT_TYPE)

    def _presigned(self, key: str | None, seconds: float | None, bucket: str | None) -> Found:
        if key is None:
            return None
        life = LONGEST if seconds is None else min(LONGEST, int(seconds) + WATCHED_BESIDES)
        return Elsewhere(self._store.of(bucket).link(key, seconds=life))


def _shown(played: playlist.Playlist, asked: Asked) -> Found:
    if played.empty:
        return None
    return Text(text(asked.token, played, playlist.NOWHERE, update=asked.update), playlist.CONTENT_TYPE)
