"""An object's bytes as HTTP: whole or one range, only if changed, under the headers it was stored with."""

import re
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse

from devstack.store.errors import S3Error
from devstack.store.objects import StoredObject

CHUNK = 256 << 10
# What a signed address may say instead of the stored header.
OVERRIDES = {
    "response-cache-control": "cache-control",
    "response-content-disposition": "content-disposition",
    "response-content-encoding": "content-encoding",
    "response-content-language": "content-language",
    "response-content-type": "content-type",
    "response-expires": "expires",
}


def object_response(found: StoredObject, folder: Path, method: str, asked: Mapping[str, str], query: Mapping[str, str]) -> Response:
    """The answer to GET and HEAD; `asked` are the request's headers. Raises S3Error (InvalidRange, PreconditionFailed)."""
    etag = f'"{found.etag}"'
    headers = found.headers | {header: query[name] for name, header in OVERRIDES.items() if name in query}
    headers |= {"etag": etag, "last-modified": formatdate(found.modified, usegmt=True), "accept-ranges": "bytes"}
    if asked.get("if-match", etag) not in (etag, "*"):
        raise S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    if asked.get("if-none-match") == etag:
        return Response(status_code=304, headers={"etag": etag})
    part = range_of(asked["range"], found.size) if "range" in asked and asked.get("if-range", etag) == etag else None
    begin, end = part or (0, found.size)
    headers["content-length"] = str(end - begin)
    if part:
        headers["content-range"] = f"bytes {begin}-{end - 1}/{found.size}"
    status = 206 if part else 200
    if method == "HEAD":
        return Response(status_code=status, headers=headers)
    # Opened now: what replaces or deletes the object in the meantime takes nothing from this answer.
    return StreamingResponse(_pieces((folder / found.file).open("rb"), begin, end), status_code=status, headers=headers)


def range_of(header: str, size: int) -> tuple[int, int] | None:
    """Begin and end of one range; None for what S3 ignores: several ranges, or no range at all. Raises S3Error (InvalidRange)."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        begin, end = int(match[1]), min(int(match[2] or size) + 1, size)
    else:
        begin, end = max(size - int(match[2]), 0), size
    if begin >= end:
        raise S3Error("InvalidRange", "The requested range is not satisfiable")
    return begin, end


def _pieces(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(begin)
        while begin < end and (piece := file.read(min(CHUNK, end - begin))):
            begin += len(piece)
            yield piece
