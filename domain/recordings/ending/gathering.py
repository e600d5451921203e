"""What of a part really lies in storage: its playlist, the segments that it names, its file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.recording_ports import ObjectStore, StoredObject
from domain.recordings.names import file_key, picture_key, playlist_key
from domain.recordings.part_keys import PartKeys
from domain.recordings.playlists import Segment, segments_of
from domain.recordings.rows import RecordingPart

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Gathered:
    """The media of a part: `named` are the segments of its playlist, `segments` those of them that are there.

    Its time line is that of the playlist, where a segment that is lost keeps its place: what stands behind it does not move.
    """

    named: tuple[Segment, ...] = ()
    segments: tuple[Segment, ...] = ()
    file: StoredObject | None = None
    picture: str | None = None

    @property
    def empty(self) -> bool:
        return not self.segments and self.file is None

    @property
    def missing(self) -> int:
        return len(self.named) - len(self.segments)

    @property
    def seconds(self) -> float:
        return sum(segment.seconds for segment in self.named)

    @property
    def began_at(self) -> datetime | None:
        return self.named[0].began_at if self.named else None

    @property
    def ended_at(self) -> datetime | None:
        return self.named[-1].ended_at if self.named else None


async def gather(store: ObjectStore, part: RecordingPart) -> Gathered:
    """What there is of a part. Raises StorageError: then nothing is known of it."""
    store = store.of(part.storage_bucket)
    if part.keys is not None:
        return await _under(store, part.keys)
    # Older than parts: a file, or nothing.
    return Gathered(file=await store.head(part.file_path) if part.file_path else None)


async def _under(store: ObjectStore, keys: PartKeys) -> Gathered:
    there = await objects_of(store, keys)
    playlist = await store.read(playlist_key(keys.prefix)) if playlist_key("") in there else None
    named = tuple(segments_of(playlist or b""))
    present = tuple(one for one in named if (found := there.get(one.name)) is not None and found.size > 0)
    file, picture = there.get(file_key("")), there.get(picture_key("", 0))
    return Gathered(
        named=named,
        segments=present,
        file=file if file is not None and file.size > 0 else None,
        picture=None if picture is None else picture.key,
    )


async def objects_of(store: ObjectStore, keys: PartKeys) -> Mapping[str, StoredObject]:
    """Everything that a part has, by name. What is being moved meanwhile is in one place or the other. Raises StorageError."""
    found: dict[str, StoredObject] = {}
    for prefix in keys.prefixes:
        found |= {key.removeprefix(prefix): one for key, one in (await objects_under(store, prefix)).items()}
    return found


async def objects_under(store: ObjectStore, prefix: str) -> Mapping[str, StoredObject]:
    """Everything whose key begins so, by key. Raises StorageError."""
    found: dict[str, StoredObject] = {}
    after = ""
    while True:
        page = await store.list(prefix, after=after, most=PAGE)
        found |= {one.key: one for one in page}
        if len(page) < PAGE:
            return found
        after = page[-1].key
