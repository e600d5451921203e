"""What is written of a recording, whoever encodes it: objects in the store as they come, and what the record says of them at the end."""

import json
import posixpath
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from livekit import api

from devstack.media.plan import FileWanted, ImagesWanted, Plan, SegmentsWanted
from devstack.media.playlists import sliding
from devstack.media.storage import Storage, Storages

PLAYLIST: Final = "application/x-mpegurl"
SEGMENT: Final = "video/mp2t"
Manifest = dict[str, object]


@dataclass(slots=True)
class FileOutput:
    wanted: FileWanted
    storage: Storage
    info: Any

    def put(self, data: bytes) -> None:
        """Raises UploadFailed."""
        self.storage.put(self.wanted.key, data, "audio/ogg" if self.wanted.ogg else "video/mp4")
        self.info.size, self.info.location = len(data), self.storage.location(self.wanted.key)

    def manifest(self) -> tuple[str, Manifest]:
        return posixpath.dirname(self.wanted.key), {"files": [{"filename": self.wanted.key, "location": self.info.location}]}


@dataclass(slots=True)
class SegmentsOutput:
    """Segments, then the playlist that names them: who reads it finds everything it speaks of."""

    wanted: SegmentsWanted
    storage: Storage
    info: Any
    names: list[str] = field(default_factory=list)

    def name_of_next(self) -> str:
        return f"{self.wanted.prefix}_{len(self.names):05d}.ts"

    def put_segment(self, name: str, data: bytes) -> None:
        """Raises UploadFailed."""
        self.storage.put(name, data, SEGMENT)
        self.names.append(name)
        self.info.segment_count += 1
        self.info.size += len(data)

    def put_playlist(self, playlist: str) -> None:
        """Raises UploadFailed."""
        self.storage.put(self.wanted.playlist, playlist.encode(), PLAYLIST)
        self.info.playlist_location = self.storage.location(self.wanted.playlist)
        if self.wanted.live_playlist:
            self.storage.put(self.wanted.live_playlist, sliding(playlist).encode(), PLAYLIST)
            self.info.live_playlist_location = self.storage.location(self.wanted.live_playlist)

    def manifest(self) -> tuple[str, Manifest]:
        segments = [{"filename": name, "location": self.storage.location(name)} for name in self.names]
        playlist = {"name": self.wanted.playlist, "location": self.info.playlist_location, "segments": segments}
        return posixpath.dirname(self.wanted.playlist), {"playlists": [playlist]}


@dataclass(slots=True)
class ImagesOutput:
    wanted: ImagesWanted
    storage: Storage
    info: Any

    def put(self, data: bytes) -> None:
        """Raises UploadFailed."""
        self.storage.put(self._name(), data, "image/jpeg")
        self.info.image_count += 1

    def _name(self) -> str:
        match self.wanted.suffix:
            case api.ImageFileSuffix.IMAGE_SUFFIX_NONE_OVERWRITE:
                return f"{self.wanted.prefix}.jpeg"
            case api.ImageFileSuffix.IMAGE_SUFFIX_TIMESTAMP:
                milliseconds = time.time_ns() // 1_000_000
                return f"{self.wanted.prefix}_{time.strftime('%Y%m%d%H%M%S')}{milliseconds % 1000:03d}.jpeg"
        return f"{self.wanted.prefix}_{self.info.image_count:05d}.jpeg"


class Outputs:
    """The outputs of one egress; their results stand in its record from the start, with names alone."""

    def __init__(self, plan: Plan, storages: Storages, info: Any) -> None:
        self._info = info
        self.file = self.segments = None
        if wanted := plan.file:
            self.file = FileOutput(wanted, storages.of(wanted.s3), info.file_results.add(filename=wanted.key))
        if segments := plan.segments:
            named = info.segment_results.add(playlist_name=segments.playlist, live_playlist_name=segments.live_playlist)
            self.segments = SegmentsOutput(segments, storages.of(segments.s3), named)
        self.images = [
            ImagesOutput(images, storages.of(images.s3), info.image_results.add(filename_prefix=images.prefix)) for images in plan.images
        ]

    def began(self, at: int) -> None:
        for result in self._results():
            result.started_at = at

    def ended(self, at: int) -> None:
        """Times, and lengths where a result has one."""
        for result in self._results():
            result.ended_at = at
            if "duration" in result.DESCRIPTOR.fields_by_name:
                result.duration = at - result.started_at

    def put_manifests(self) -> None:
        """What the outputs hold, beside them, for whoever never heard of the end. Raises UploadFailed."""
        common = {"egress_id": self._info.egress_id, "room_id": self._info.room_id, "room_name": self._info.room_name}
        times = {"started_at": self._info.started_at, "ended_at": self._info.ended_at}
        for output in (self.file, self.segments):
            if output is not None and output.wanted.manifest:
                folder, told = output.manifest()
                key = posixpath.join(folder, f"{self._info.egress_id}.json")
                output.storage.put(key, json.dumps(common | times | told).encode(), "application/json")

    def _results(self) -> Iterable[Any]:
        return [*self._info.file_results, *self._info.segment_results, *self._info.image_results]
