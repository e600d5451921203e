"""A bucket in memory, for tests of the domain: behaves as the port promises and can be told to fail."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.recording_ports import StorageError, StoredObject
from domain.recordings.names import file_key, picture_key, playlist_key

SECONDS = 4.0


@dataclass(slots=True)
class FakeStore:
    """`domain.recording_ports.ObjectStore`. `down`: nothing is answered. `others` are further buckets by their names."""

    objects: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    down: bool = False
    bucket: str = "recordings"
    others: dict[str, "FakeStore"] = field(default_factory=dict)

    def of(self, bucket: str | None) -> "FakeStore":
        """Another bucket, empty at first."""
        if not bucket or bucket == self.bucket:
            return self
        return self.others.setdefault(bucket, FakeStore(bucket=bucket))

    async def head(self, key: str) -> StoredObject | None:
        self._answer("head")
        return self._shown(key, self.types.get(key, "")) if key in self.objects else None

    async def read(self, key: str, *, last: int | None = None) -> bytes | None:
        self._answer("read")
        found = self.objects.get(key)
        return found if found is None or last is None else found[-last:]

    async def write(self, key: str, body: bytes, content_type: str) -> None:
        self._answer("write")
        self.objects[key], self.types[key] = body, content_type
        self.times[key] = datetime.now(UTC)

    async def copy(self, key: str, to_key: str) -> bool:
        self._answer("copy")
        if key not in self.objects:
            return False
        await self.write(to_key, self.objects[key], self.types.get(key, ""))
        return True

    async def list(self, prefix: str, *, after: str = "", most: int = 1000) -> Sequence[StoredObject]:
        self._answer("list")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        return [self._shown(key, "") for key in keys[:most]]

    async def delete(self, keys: Collection[str]) -> None:
        self._answer("delete")
        for key in keys:
            self.objects.pop(key, None)

    async def upload(self, key: str, path: Path, content_type: str) -> None:
        await self.write(key, path.read_bytes(), content_type)

    def link(self, key: str, *, seconds: int, file_name: str | None = None, content_type: str | None = None, inside: bool = False) -> str:
        host = "store.example" if self.bucket == "recordings" else f"{self.bucket}.store.example"
        return f"https://{'inside.' if inside else ''}{host}/{key}?seconds={seconds}&name={file_name or ''}&type={content_type or ''}"

    def hold(self, prefix: str, segments: int, began_at: datetime, *, ended: bool = False) -> None:
        """What a worker has uploaded of a part after so many segments, and when it ended its file and picture too."""
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", "#EXT-X-PLAYLIST-TYPE:EVENT"]
        for number in range(segments):
            name, at = f"segment_{number:05d}.ts", began_at + timedelta(seconds=SECONDS * number)
            self.objects[prefix + name] = b"media"
            lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at.strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}+0000", f"#EXTINF:{SECONDS:.6f},", name]
        if segments:
            self.objects[playlist_key(prefix)] = "\n".join(lines + ["#EXT-X-ENDLIST"] * ended).encode()
        if ended:
            self.objects[file_key(prefix)] = b"a file"
            self.objects[picture_key(prefix, 0)] = b"a picture"

    def _shown(self, key: str, content_type: str) -> StoredObject:
        return StoredObject(key, len(self.objects[key]), self.times.get(key, datetime.now(UTC)), content_type)

    def _answer(self, what: str) -> None:
        if self.down:
            raise StorageError(f"store.{what}: no answer")
