"""A body on its way to the disk: written as it comes, checked against what was promised of it."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.requests import Request

from devstack.store.errors import S3Error
from devstack.store.signatures import UNSIGNED


class Body:
    """A file of a name that nobody has; `md5` and `size` once it is whole."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / secrets.token_hex(16)
        self.size = 0
        self._md5, self._sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    async def receive(self, request: Request, payload: str) -> None:
        """Takes the request's body. Raises S3Error when it isn't what its signature, length or Content-MD5 says."""
        self.path.touch()
        async for chunk in request.stream():
            self._append(chunk)
        if payload not in (UNSIGNED, self._sha256.hexdigest()):
            raise S3Error("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
        if self.size != int(request.headers.get("content-length", self.size)):
            raise S3Error("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
        if request.headers.get("content-md5", self._base64_md5()) != self._base64_md5():
            raise S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.")

    def join(self, parts: list[Path]) -> None:
        """Takes the bytes of these files, one after the other."""
        self.path.touch()
        for chunk in _chunks(parts):
            self._append(chunk)

    def cut(self, path: Path, begin: int, end: int) -> None:
        """Takes these bytes of a file."""
        self.path.touch()
        with path.open("rb") as file:
            file.seek(begin)
            while chunk := file.read(min(1 << 20, end - file.tell())):
                self._append(chunk)

    def _append(self, chunk: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(chunk)
        self.size += len(chunk)
        self._md5.update(chunk)
        self._sha256.update(chunk)

    def _base64_md5(self) -> str:
        return base64.b64encode(self._md5.digest()).decode()


@contextmanager
def new_body(folder: Path) -> Iterator[Body]:
    """A body that leaves nothing behind unless its file was moved or taken over by then."""
    body = Body(folder)
    try:
        yield body
    except BaseException:
        body.path.unlink(missing_ok=True)
        raise


def _chunks(parts: list[Path]) -> Iterator[bytes]:
    for part in parts:
        with part.open("rb") as file:
            while chunk := file.read(1 << 20):
                yield chunk
