"""Objects in a folder: a file of bytes each, and a small one beside it that names it; what is replaced can still be read to its end.

A key is no path: `a` and `a/b` may both be there. So files have names of their own, and an index in memory, read at start, knows the keys.
"""

import json
import re
import shutil
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from devstack.store.bodies import Body
from devstack.store.errors import S3Error


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`file` is the name of its bytes in the bucket's folder, `headers` what was given with it: type, disposition, metadata."""

    key: str
    file: str
    size: int
    etag: str
    modified: float
    headers: dict[str, str]


class Bucket:
    """The objects of one bucket, in the order of their keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Settings as they were put, by their name; kept and given back, never followed.
        self.rules: dict[str, bytes] = {}
        self._index = {found.key: found for found in _read(folder)}
        self._keys = sorted(self._index)
        self._forget_leftovers()

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def created(self) -> float:
        return self.folder.stat().st_ctime

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def get(self, key: str) -> StoredObject:
        """Raises S3Error (NoSuchKey)."""
        if key not in self._index:
            raise S3Error("NoSuchKey", "The specified key does not exist.")
        return self._index[key]

    def put(self, key: str, body: Body, headers: dict[str, str], etag: str | None = None) -> StoredObject:
        """Takes the body over as the object's bytes; all at once, whatever was under this key before."""
        made = StoredObject(key, body.path.name, body.size, etag or body.md5, time.time(), headers)
        note = self._note(key)
        draft = note.with_suffix(".new")
        draft.write_text(json.dumps(asdict(made)))
        draft.replace(note)
        before = self._index.get(key)
        if before is None:
            insort(self._keys, key)
        else:
            (self.folder / before.file).unlink()
        self._index[key] = made
        return made

    def delete(self, key: str) -> None:
        """No error when it is not there, as with S3."""
        if gone := self._index.pop(key, None):
            self._keys.remove(key)
            self._note(key).unlink()
            (self.folder / gone.file).unlink()

    def after(self, marker: str, prefix: str) -> Iterator[StoredObject]:
        """Those whose keys begin with the prefix and come after the marker."""
        begin = max(bisect_right(self._keys, marker), bisect_left(self._keys, prefix))
        for key in self._keys[begin:]:
            if not key.startswith(prefix):
                return
            yield self._index[key]

    def _note(self, key: str) -> Path:
        return self.folder / f"{sha256(key.encode()).hexdigest()}.json"

    def _forget_leftovers(self) -> None:
        """What a killed store began to receive and nobody names."""
        known = {found.file for found in self._index.values()}
        for path in self.folder.iterdir():
            if path.is_file() and path.suffix != ".json" and path.name not in known:
                path.unlink()


class Buckets:
    """All buckets of a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._buckets = {path.name: Bucket(path) for path in folder.iterdir() if path.is_dir()}

    def __iter__(self) -> Iterator[tuple[str, Bucket]]:
        return iter(sorted(self._buckets.items()))

    def __contains__(self, name: str) -> bool:
        return name in self._buckets

    def get(self, name: str) -> Bucket:
        """Raises S3Error (NoSuchBucket)."""
        if name not in self._buckets:
            raise S3Error("NoSuchBucket", "The specified bucket does not exist")
        return self._buckets[name]

    def create(self, name: str) -> None:
        """Raises S3Error (InvalidBucketName, BucketAlreadyOwnedByYou)."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
            raise S3Error("InvalidBucketName", "The specified bucket is not valid.")
        if name in self._buckets:
            raise S3Error("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
        (self._folder / name).mkdir()
        self._buckets[name] = Bucket(self._folder / name)

    def delete(self, name: str) -> None:
        """Raises S3Error (NoSuchBucket, BucketNotEmpty)."""
        if len(self.get(name)):
            raise S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty")
        shutil.rmtree(self._buckets.pop(name).folder)


def _read(folder: Path) -> Iterator[StoredObject]:
    for path in folder.glob("*.json"):
        yield StoredObject(**json.loads(path.read_text()))
