"""Who records, where it is kept and who repackages it, as the domain sees them. Adapters are in app/; here nobody knows LiveKit or S3."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Protocol

from domain.ports import TrackSource

EgressStatus = Literal["starting", "active", "ending", "complete", "failed", "aborted", "limit_reached"]
# LiveKit says nothing more after one of these.
FINAL: Final[frozenset[EgressStatus]] = frozenset({"complete", "failed", "aborted", "limit_reached"})


class StorageError(Exception):
    """The store could not be reached, timed out or failed: the outcome is unknown, and trying again may help."""


class StorageRefused(StorageError):
    """The store understood and refused: a wrong key or bucket, no right, no space. Its word is the text."""


OutputStatus = Literal["active", "finished", "failed"]


@dataclass(frozen=True, slots=True)
class OutputReport:
    """What a record says of one RTMP address that its egress sends to. Of the address it shows the host, and the ends of the key in
    braces: that is `shown`, `{abc...xyz}`. `retries` is how often it connected anew, the last time at `retried_at`.
    """

    shown: str
    status: OutputStatus
    started_at: datetime | None = None
    retries: int = 0
    retried_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Egress:
    """LiveKit's record of one egress. `path_prefix` is what the request called its objects; empty where the record doesn't say.

    `error_code` is LiveKit's, in the manner of HTTP, 0 where there is none; its error text stays outside. `outputs` are the RTMP
    addresses that it was ever told to send to, in that order.
    """

    id: str
    room: str
    status: EgressStatus
    path_prefix: str = ""
    error_code: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outputs: tuple[OutputReport, ...] = ()

    @property
    def final(self) -> bool:
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class CompositeWanted:
    """Everybody in one picture, or all sound alone (`size` is None). `layout` is LiveKit's own name of one, `template` the name
    of a page of the deployment's that does it instead."""

    layout: str
    size: tuple[int, int] | None
    template: str | None = None


@dataclass(frozen=True, slots=True)
class TrackWanted:
    """One published track of one person."""

    sid: str
    source: TrackSource


@dataclass(frozen=True, slots=True)
class EgressWanted:
    """What a part asks for: segments, a `file` where one is wanted, and a picture an interval where there is a picture; all keys begin
    with `path_prefix`.

    `bucket` is the one that the recording's earlier parts lie in; None for the one of the settings. `sends_on`: it may be told later to
    send to RTMP addresses besides, which no other egress can. `segment_seconds` is how long each segment shall be.
    """

    room: str
    path_prefix: str
    content: CompositeWanted | TrackWanted
    bucket: str | None = None
    sends_on: bool = False
    file: bool = True
    segment_seconds: int = 4


class Recorder(Protocol):
    """LiveKit's egress. Each method raises MediaError, MediaRefused or MediaSilent."""

    async def start(self, wanted: EgressWanted) -> Egress:
        """Never repeated by itself: after an unknown outcome look for the prefix first. MediaError with `no worker` where none took it."""
        ...

    async def stop(self, egress_id: str) -> bool:
        """Asks it to end. What has ended, or is unknown, is stopped already. False when no recorder answered for it."""
        ...

    async def add_output(self, egress_id: str, url: str) -> Egress:
        """A running egress that `sends_on` sends to this address besides, key and all; its record then. Never repeated by itself: after
        an unknown outcome look into the record first. MediaRefused where it takes none, or not this one."""
        ...

    async def remove_output(self, egress_id: str, url: str) -> None:
        """It sends there no more. An address, or an egress, that is not there is removed already."""
        ...

    async def active(self) -> list[Egress]:
        """Every egress whose record is not final, also those that are no business of ours."""
        ...

    async def of_room(self, room: str) -> list[Egress]:
        """Every egress of a room that LiveKit still remembers (a day), whatever became of it."""
        ...

    async def find(self, egress_id: str) -> Egress | None:
        """One record; None when LiveKit knows it no more."""
        ...

    async def present(self, room: str) -> frozenset[str]:
        """The ids of the egresses that are in a room as participants now; an unknown room has none."""
        ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the store's listing or HEAD shows it; a listing doesn't say the type."""

    key: str
    size: int
    modified_at: datetime
    content_type: str = ""


class ObjectStore(Protocol):
    """The bucket of recordings. Each method but `of` and `link` raises StorageError or StorageRefused; an absent object is no error."""

    @property
    def bucket(self) -> str:
        """Its name."""
        ...

    def of(self, bucket: str | None) -> "ObjectStore":
        """Another bucket of the same store, which a row names from before the settings changed; this one for None."""
        ...

    async def head(self, key: str) -> StoredObject | None: ...

    async def read(self, key: str, *, last: int | None = None) -> bytes | None:
        """The object, or its last so many bytes; None when it is absent. For small objects: playlists, pictures."""
        ...

    async def write(self, key: str, body: bytes, content_type: str) -> None: ...

    async def copy(self, key: str, to_key: str) -> bool:
        """Within the bucket, by the store itself, type and all; False when there is no such object."""
        ...

    async def list(self, prefix: str, *, after: str = "", most: int = 1000) -> Sequence[StoredObject]:
        """Those whose key begins so, in the order of their keys, behind `after`; fewer than `most` are the last."""
        ...

    async def delete(self, keys: Collection[str]) -> None:
        """All of them, at most 1,000; raises when one of them stays."""
        ...

    async def upload(self, key: str, path: Path, content_type: str) -> None:
        """A file of any size, in several pieces."""
        ...

    def link(self, key: str, *, seconds: int, file_name: str | None = None, content_type: str | None = None, inside: bool = False) -> str:
        """A presigned address for one GET or many, made without asking the store; with a file name a browser saves it.

        It is for browsers, or, `inside`, for this service itself.
        """
        ...


class JoinFailed(Exception):
    """Parts were not joined this time; in a few words why."""


class JoinImpossible(Exception):
    """They can't be joined here, now or later: a sentence."""


@dataclass(frozen=True, slots=True)
class JoinWanted:
    """`parts` are the segments of each part in order: an address, and seconds. `sound`: there is nothing but sound in them.

    `bucket` is where the file belongs; None for the one of the settings.
    """

    parts: Sequence[Sequence[tuple[str, float]]]
    seconds: float
    sound: bool
    bucket: str | None = None


class Joiner(Protocol):
    async def join(self, wanted: JoinWanted, key: str, told: Callable[[int], Awaitable[bool]]) -> int | None:
        """Joins them and stores the file under the key; its size in bytes.

        `told` hears how far it is, in percent, every few seconds; where it answers False, the work is dropped: None.
        Raises JoinFailed, JoinImpossible, StorageError.
        """
        ...


# What a packager calls its manifest.
MANIFEST: Final = "manifest.mpd"


class PackagingFailed(Exception):
    """The program ended, or hangs; in a few words why."""


class Packaging(Protocol):
    """A program that repackages. Each method but `forget` raises PackagingFailed."""

    async def feed(self, media: bytes) -> None:
        """The next segment, MPEG-TS."""
        ...

    async def finish(self) -> None:
        """Nothing follows; the rest is written when this returns."""
        ...

    def written(self) -> Sequence[tuple[str, bytes]]:
        """Names and bodies of what is written whole and not forgotten: pieces, then the manifest that names them; nothing before it."""
        ...

    def forget(self, names: Sequence[str]) -> None:
        """These are kept elsewhere by now."""
        ...


class Packager(Protocol):
    def open(self, began_at: datetime, segment_seconds: int) -> AbstractAsyncContextManager[Packaging]:
        """A program of its own, for media whose first frame was at this moment, in segments of so many seconds."""
        ...
