"""Copies that the store makes by itself: of a whole object at once up to a size, of a larger one range by range as parts of an upload."""

import re
from typing import Final
from urllib.parse import unquote

from starlette.datastructures import Headers

from devstack.store.bodies import Body
from devstack.store.errors import S3Error
from devstack.store.objects import Bucket, StoredObject

# What is copied, and of a part of it which bytes.
SOURCE: Final = "x-amz-copy-source"
RANGE: Final = "x-amz-copy-source-range"


def source_of(headers: Headers, bucket: Bucket, most: int) -> StoredObject:
    """What a copy of at most `most` bytes at once is made of. Raises S3Error."""
    name, _, key = unquote(headers[SOURCE]).removeprefix("/").partition("/")
    if name != bucket.name or headers.get("x-amz-metadata-directive", "COPY") != "COPY":
        raise S3Error("NotImplemented", "This store copies within a bucket, and changes nothing by that.")
    found = bucket.get(key)
    if RANGE not in headers and found.size > most:
        raise S3Error("InvalidRequest", f"The specified copy source is larger than the maximum allowable size for a copy source: {most}")
    return found


def fill(body: Body, headers: Headers, bucket: Bucket, found: StoredObject) -> None:
    """Takes over the range that was asked for, or all of it. Raises S3Error (InvalidArgument)."""
    path = bucket.folder / found.file
    if (asked := headers.get(RANGE)) is None:
        body.join([path])
        return
    parsed = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
    if parsed is None or not int(parsed[1]) <= int(parsed[2]) < found.size:
        raise S3Error("InvalidArgument", f"The x-amz-copy-source-range value must lie within the source of {found.size} bytes")
    body.cut(path, int(parsed[1]), int(parsed[2]) + 1)
