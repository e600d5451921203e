"""Requests for one object: put, get, look, delete, and the steps of a multipart upload."""

import re
import time
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from devstack.store import answers
from devstack.store.bodies import Body, new_body
from devstack.store.errors import S3Error
from devstack.store.faults import Faults
from devstack.store.object_response import object_response
from devstack.store.objects import Bucket, StoredObject
from devstack.store.uploads import Uploads

LONGEST_KEY: Final = 1024
# What is copied, and of a part of it which bytes.
SOURCE: Final = "x-amz-copy-source"
SOURCE_RANGE: Final = "x-amz-copy-source-range"
_KEPT: Final = re.compile(
    "cache-control|content-(disposition|encoding|language|type)|expires|x-amz-server-side-encryption|x-amz-meta-[a-z0-9_.-]+"
)
# What an address may say; with `acl`, `tagging` and the like it means something else than the object.
_KNOWN: Final = re.compile("uploads|uploadId|partNumber|x-id|response-[a-z-]+|X-Amz-.+")


class ObjectRequests:
    """Answers for the object `key` of the bucket; `payload` is what the signature says of the body."""

    def __init__(self, bucket: Bucket, key: str, request: Request, payload: str, faults: Faults) -> None:
        if len(key.encode()) > LONGEST_KEY:
            raise S3Error("KeyTooLongError", "Your key is too long")
        self._bucket, self._key, self._request, self._payload = bucket, key, request, payload
        self._uploads, self._faults = Uploads(bucket), faults

    async def answer(self) -> Response:
        """Raises S3Error."""
        query = self._request.query_params
        if unknown := [name for name in query if not _KNOWN.fullmatch(name)]:
            raise S3Error("NotImplemented", f"This store knows nothing of {unknown[0]}.")
        match self._request.method, "uploads" in query, query.get("uploadId"):
            case "GET" | "HEAD" as method, False, None:
                found = self._bucket.get(self._key)
                return object_response(found, self._bucket.folder, method, self._request.headers, query)
            case "PUT", False, None:
                return await self._put()
            case "DELETE", False, None:
                self._bucket.delete(self._key)
                return Response(status_code=204)
            case "POST", True, None:
                return self._begin()
            case "PUT", False, str(upload_id):
                return await self._put_part(upload_id)
            case "POST", False, str(upload_id):
                return await self._complete(upload_id)
            case "DELETE", False, str(upload_id):
                self._uploads.abort(self._uploads.find(upload_id, self._key))
                return Response(status_code=204)
        raise S3Error("NotImplemented", "This store knows nothing of that.")

    async def _put(self) -> Response:
        if SOURCE in self._request.headers:
            return self._copy()
        with new_body(self._bucket.folder) as body:
            await body.receive(self._request, self._payload)
            self._check_absent()
            made = self._bucket.put(self._key, body, _kept(self._request.headers.items()))
        return Response(headers=_told(made))

    def _copy(self) -> Response:
        """The whole of another object of this bucket, with what is said of it."""
        found = self._source()
        with new_body(self._bucket.folder) as body:
            self._take(body, found)
            made = self._bucket.put(self._key, body, found.headers | _encryption(self._request.headers.items()), found.etag)
        return answers.xml("CopyObjectResult", [("LastModified", answers.moment(made.modified)), ("ETag", f'"{made.etag}"')])

    def _source(self) -> StoredObject:
        """What a copy is made of: all of it up to a size, or a range of it."""
        headers, most = self._request.headers, self._faults.largest_copy
        name, _, key = unquote(headers[SOURCE]).removeprefix("/").partition("/")
        if name != self._bucket.name or headers.get("x-amz-metadata-directive", "COPY") != "COPY":
            raise S3Error("NotImplemented", "This store copies within a bucket, and changes nothing by that.")
        found = self._bucket.get(key)
        if SOURCE_RANGE not in headers and found.size > most:
            raise S3Error(
                "InvalidRequest", f"The specified copy source is larger than the maximum allowable size for a copy source: {most}"
            )
        return found

    def _take(self, body: Body, found: StoredObject) -> None:
        path = self._bucket.folder / found.file
        if (asked := self._request.headers.get(SOURCE_RANGE)) is None:
            body.join([path])
            return
        parsed = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
        if parsed is None or not int(parsed[1]) <= int(parsed[2]) < found.size:
            raise S3Error("InvalidArgument", f"The x-amz-copy-source-range value must lie within the source of {found.size} bytes")
        body.cut(path, int(parsed[1]), int(parsed[2]) + 1)

    def _check_absent(self) -> None:
        """`If-None-Match: *` puts only what is not there yet."""
        if self._request.headers.get("if-none-match") == "*" and self._key in self._bucket:
            raise S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")

    def _begin(self) -> Response:
        upload = self._uploads.begin(self._key, _kept(self._request.headers.items()))
        return answers.xml("InitiateMultipartUploadResult", [("Bucket", self._bucket.name), ("Key", self._key), ("UploadId", upload.id)])

    async def _put_part(self, upload_id: str) -> Response:
        number = self._request.query_params.get("partNumber", "")
        copied = SOURCE in self._request.headers
        with new_body(self._bucket.folder) as body:
            if copied:
                self._take(body, self._source())
            else:
                await body.receive(self._request, self._payload)
            # Looked for after the body came: the upload may have been aborted meanwhile.
            self._uploads.put_part(self._uploads.find(upload_id, self._key), int(number) if number.isdecimal() else 0, body)
        if copied:
            return answers.xml("CopyPartResult", [("LastModified", answers.moment(time.time())), ("ETag", f'"{body.md5}"')])
        return Response(headers={"etag": f'"{body.md5}"'})

    async def _complete(self, upload_id: str) -> Response:
        parts = answers.texts_of(await self._request.body(), "Part", "PartNumber", "ETag")
        if not all(number.isdecimal() for number, _ in parts):
            raise S3Error("MalformedXML", "A part has no number.")
        made = self._uploads.complete(self._uploads.find(upload_id, self._key), [(part[0], part[1]) for part in parts])
        return answers.xml("CompleteMultipartUploadResult", [("Bucket", self._bucket.name), ("Key", self._key), ("ETag", f'"{made.etag}"')])


def _kept(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {"content-type": "binary/octet-stream"} | {name: value for name, value in headers if _KEPT.fullmatch(name)}


def _told(made: StoredObject) -> dict[str, str]:
    return {"etag": f'"{made.etag}"'} | _encryption(made.headers.items())


def _encryption(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name == "x-amz-server-side-encryption"}
