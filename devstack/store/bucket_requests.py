"""Requests for a bucket: create, look, delete, list its objects in pages, delete many of them, list its uploads."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from devstack.store import answers
from devstack.store.answers import Content
from devstack.store.errors import S3Error
from devstack.store.objects import Bucket, Buckets, StoredObject
from devstack.store.signatures import UNSIGNED, sha256_of
from devstack.store.uploads import Uploads

PAGE = 1000
# Settings of a bucket.
RULES = ("cors", "lifecycle")
# Behind every key that begins with a common prefix.
_BEHIND = "\U0010ffff"


class BucketRequests:
    """Answers for the bucket `name`; `payload` is what the signature says of the body."""

    def __init__(self, buckets: Buckets, name: str, request: Request, payload: str) -> None:
        self._buckets, self._name, self._request, self._payload = buckets, name, request, payload

    async def answer(self) -> Response:
        """Raises S3Error."""
        query = self._request.query_params
        match self._request.method:
            case "PUT" if not query:
                self._buckets.create(self._name)
                return Response(headers={"location": f"/{self._name}"})
            case "PUT" if rule := next((name for name in RULES if name in query), ""):
                self._buckets.get(self._name).rules[rule] = await self._request.body()
                return Response()
            case "GET" if rule := next((name for name in RULES if name in query), ""):
                return self._rule(rule)
            case "HEAD":
                self._buckets.get(self._name)
                return Response()
            case "DELETE" if not query:
                self._buckets.delete(self._name)
                return Response(status_code=204)
            case "GET" if query.get("list-type") == "2":
                return _listing(self._buckets.get(self._name), self._request)
            case "GET" if "uploads" in query:
                return self._uploads(self._buckets.get(self._name))
            case "GET" if "location" in query:
                self._buckets.get(self._name)
                return answers.xml("LocationConstraint", "")
            case "POST" if "delete" in query:
                return await self._delete_many(self._buckets.get(self._name))
        raise S3Error("NotImplemented", "This store knows nothing of that.")

    def _rule(self, name: str) -> Response:
        text = self._buckets.get(self._name).rules.get(name)
        if text is None:
            raise S3Error("NoSuchConfiguration", "The specified configuration does not exist.")
        return Response(text, media_type="application/xml")

    def _uploads(self, bucket: Bucket) -> Response:
        found = Uploads(bucket).open(self._request.query_params.get("prefix", ""))
        uploads: list[tuple[str, Content]] = [("Upload", [("Key", upload.key), ("UploadId", upload.id)]) for upload in found]
        return answers.xml("ListMultipartUploadsResult", [("Bucket", bucket.name), ("IsTruncated", "false"), *uploads])

    async def _delete_many(self, bucket: Bucket) -> Response:
        body = await self._request.body()
        if self._payload not in (UNSIGNED, sha256_of(body)):
            raise S3Error("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
        keys = [key for (key,) in answers.texts_of(body, "Object", "Key")]
        if not 1 <= len(keys) <= PAGE:
            raise S3Error("MalformedXML", "Between one and a thousand keys are deleted at once.")
        for key in keys:
            bucket.delete(key)
        quiet = answers.texts_of(body, "Delete", "Quiet") == [("true",)]
        return answers.xml("DeleteResult", [] if quiet else [("Deleted", [("Key", key)]) for key in keys])


@dataclass(slots=True)
class _Page:
    """Objects and common prefixes in order; `next` is where the page after this one begins, empty at the end."""

    objects: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next: str = ""

    def __len__(self) -> int:
        return len(self.objects) + len(self.prefixes)


def _listing(bucket: Bucket, request: Request) -> Response:
    query = request.query_params
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    marker = _decoded(query["continuation-token"]) if "continuation-token" in query else query.get("start-after", "")
    number = query.get("max-keys", str(PAGE))
    if not number.isdecimal():
        raise S3Error("InvalidArgument", "max-keys is not a number.")
    page = _page(bucket, marker, prefix, delimiter, min(int(number), PAGE))
    encode = quote if query.get("encoding-type") == "url" else str
    return answers.xml("ListBucketResult", list(_told(page, bucket.name, prefix, delimiter, encode)))


def _page(bucket: Bucket, marker: str, prefix: str, delimiter: str, size: int) -> _Page:
    page, last = _Page(), marker
    for found in bucket.after(marker, prefix):
        head, cut, _ = found.key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        common = prefix + head + cut if cut else ""
        if common and common in page.prefixes[-1:]:
            continue
        if len(page) == size:
            page.next = last
            break
        if common:
            page.prefixes.append(common)
            last = common + _BEHIND
        else:
            page.objects.append(found)
            last = found.key
    return page


def _told(page: _Page, bucket: str, prefix: str, delimiter: str, encode: Callable[[str], str]) -> Iterator[tuple[str, Content]]:
    yield "Name", bucket
    yield "Prefix", encode(prefix)
    yield "KeyCount", len(page)
    yield "MaxKeys", PAGE
    if delimiter:
        yield "Delimiter", encode(delimiter)
    if encode is quote:
        yield "EncodingType", "url"
    yield "IsTruncated", "true" if page.next else "false"
    if page.next:
        yield "NextContinuationToken", urlsafe_b64encode(page.next.encode()).decode()
    for found in page.objects:
        yield (
            "Contents",
            [
                ("Key", encode(found.key)),
                ("LastModified", answers.moment(found.modified)),
                ("ETag", f'"{found.etag}"'),
                ("Size", found.size),
                ("StorageClass", "STANDARD"),
            ],
        )
    for common in page.prefixes:
        yield "CommonPrefixes", [("Prefix", encode(common))]


def _decoded(token: str) -> str:
    try:
        return urlsafe_b64decode(token).decode()
    except ValueError:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from None
