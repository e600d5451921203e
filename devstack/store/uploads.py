"""Multipart uploads on the disk: a folder each, with a note of the object to come and a file a part; a restart loses none."""

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from devstack.store.bodies import Body, new_body
from devstack.store.errors import S3Error
from devstack.store.objects import Bucket, StoredObject

SMALLEST_PART: Final = 5 << 20
LAST_NUMBER: Final = 10_000


@dataclass(frozen=True, slots=True)
class Upload:
    """One that is neither complete nor aborted."""

    id: str
    key: str
    headers: dict[str, str]


class Uploads:
    """The multipart uploads of one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket, self._folder = bucket, bucket.folder / "uploads"
        self._folder.mkdir(exist_ok=True)

    def begin(self, key: str, headers: dict[str, str]) -> Upload:
        upload = Upload(secrets.token_hex(16), key, headers)
        folder = self._folder / upload.id
        folder.mkdir()
        (folder / "upload.json").write_text(json.dumps(asdict(upload)))
        return upload

    def open(self, prefix: str) -> Iterator[Upload]:
        """Those under way whose keys begin so."""
        for note in sorted(self._folder.glob("*/upload.json")):
            upload = Upload(**json.loads(note.read_text()))
            if upload.key.startswith(prefix):
                yield upload

    def find(self, upload_id: str, key: str) -> Upload:
        """Raises S3Error (NoSuchUpload)."""
        upload = next((one for one in self.open(key) if one.id == upload_id and one.key == key), None)
        if upload is None:
            raise S3Error("NoSuchUpload", "The specified multipart upload does not exist. It may have been aborted or completed.")
        return upload

    def put_part(self, upload: Upload, number: int, body: Body) -> None:
        """Takes the body over as this part; a part that comes again replaces the one before. Raises S3Error (InvalidArgument)."""
        if not 1 <= number <= LAST_NUMBER:
            raise S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        for before in self._folder.joinpath(upload.id).glob(f"{number:05d}-*"):
            before.unlink()
        body.path.rename(self._folder / upload.id / f"{number:05d}-{body.md5}")

    def complete(self, upload: Upload, parts: list[tuple[str, str]]) -> StoredObject:
        """Makes the object of these (number, ETag). Raises S3Error (InvalidPart, InvalidPartOrder, EntityTooSmall)."""
        numbers = [int(number) for number, _ in parts]
        if numbers != sorted(set(numbers)):
            raise S3Error("InvalidPartOrder", "The list of parts was not in ascending order.")
        etags = [etag.strip('"') for _, etag in parts]
        files = [self._folder / upload.id / f"{number:05d}-{etag}" for number, etag in zip(numbers, etags, strict=True)]
        if not files or not all(file.is_file() for file in files):
            raise S3Error("InvalidPart", "One or more of the specified parts could not be found.")
        if any(file.stat().st_size < SMALLEST_PART for file in files[:-1]):
            raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size.")
        with new_body(self._bucket.folder) as body:
            body.join(files)
            digests = b"".join(bytes.fromhex(etag) for etag in etags)
            etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(files)}"
            made = self._bucket.put(upload.key, body, upload.headers, etag)
        self.abort(upload)
        return made

    def abort(self, upload: Upload) -> None:
        shutil.rmtree(self._folder / upload.id)
