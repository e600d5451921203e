"""An S3-compatible bucket as the domain's `ObjectStore` port."""

import copy
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from app.media.addresses import PieceAddresses
from app.storage.bucket_rules import CORS, LIFECYCLE
from app.storage.content_disposition import attachment
from app.storage.direct_reads import DirectReads, open_direct
from app.storage.requests import THREADS, ObjectAbsent, ObserveRequest, StoreRequests, uncounted
from app.telemetry.moments import Observe, unobserved
from domain.recording_ports import StorageError, StoredObject

CONNECT_WITHIN: Final = 3
READ_WITHIN: Final = 10
# One of our threads sends a file, piece after piece; seconds for one of any size.
IN_TURN: Final = TransferConfig(use_threads=False)
UPLOAD_WITHIN: Final = 3600.0
# What a store says that copies no object so large at once, and the pieces in which it does.
TOO_LARGE: Final = ("InvalidRequest", "EntityTooLarge")
PIECES: Final = TransferConfig(use_threads=False, multipart_threshold=1, multipart_chunksize=64 << 20)


@dataclass(frozen=True, slots=True)
class S3Address:
    """`endpoint` is where this service reaches it, `public_endpoint` where browsers do; both empty for AWS itself.

    `encryption` is what each write asks for, in the words of boto3.
    """

    bucket: str
    endpoint: str | None = None
    public_endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    path_style: bool = True
    encryption: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def open_store(address: S3Address, *, observe: Observe = unobserved, count: ObserveRequest = uncounted) -> AsyncIterator["S3Store"]:
    """The process's one client, closed at the end. `observe` hears of the moments before and after each request, `count` of its end."""
    threads = ThreadPoolExecutor(THREADS, "s3")
    async with open_direct(CONNECT_WITHIN, READ_WITHIN) as http:
        store = S3Store(address, StoreRequests(threads, observe, count), http)
        try:
            yield store
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            store.close()


class S3Store:
    """`domain.recording_ports.ObjectStore`."""

    def __init__(self, address: S3Address, requests: StoreRequests, http: aiohttp.ClientSession) -> None:
        self._bucket, self._encryption, self._do = address.bucket, address.encryption, requests
        # AWS itself wants to hear of any region but its first.
        elsewhere = address.endpoint is None and address.region != "us-east-1"
        self._elsewhere: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": address.region}} if elsewhere else {}
        self._client = _client(address, address.endpoint)
        self._public = _client(address, address.public_endpoint or address.endpoint)
        self._direct = DirectReads(http, PieceAddresses(self, time.monotonic, inside=True))

    @property
    def bucket(self) -> str:
        """As the settings name it, or a recording's row."""
        return self._bucket

    def of(self, bucket: str | None) -> "S3Store":
        """Another bucket behind the same client, with the same key and threads."""
        if not bucket or bucket == self._bucket:
            return self
        other = copy.copy(self)
        other._bucket = bucket
        return other

    def close(self) -> None:
        """Closes the connections that are kept for the next request."""
        self._client.close()
        self._public.close()

    async def prepare_bucket(self) -> bool:
        """Makes the bucket unless it is there, and sets its rules anew; True if it was made. Safe to repeat."""
        try:
            await self._do("store.find_bucket", lambda: self._client.head_bucket(Bucket=self._bucket))
            made = False
        except ObjectAbsent:
            await self._do("store.make_bucket", lambda: self._client.create_bucket(Bucket=self._bucket, **self._elsewhere))
            made = True
        rules = {"Bucket": self._bucket, "CORSConfiguration": CORS}
        await self._do("store.allow_reading", lambda: self._client.put_bucket_cors(**rules))
        ends = {"Bucket": self._bucket, "LifecycleConfiguration": LIFECYCLE}
        await self._do("store.end_half_uploads", lambda: self._client.put_bucket_lifecycle_configuration(**ends))
        return made

    async def head(self, key: str) -> StoredObject | None:
        """Size and type of one object. Without a body a missing bucket looks like a missing object: of two, one is an error."""

        def look() -> Any:
            try:
                return self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError:
                self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
                raise

        try:
            found = await self._do("store.head", look)
        except ObjectAbsent:
            return None
        return StoredObject(key, found["ContentLength"], found["LastModified"], found.get("ContentType", ""))

    async def read(self, key: str, *, last: int | None = None) -> bytes | None:
        """The bytes of a small object, or of its end."""
        if last is not None:
            found = await self._do.directly("store.read", lambda: self._direct.tail(key, self._bucket, last))
            if found is not None:
                return found
        tail = {} if last is None else {"Range": f"bytes=-{last}"}

        def read() -> bytes:
            try:
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=key, **tail)["Body"].read()
            except ClientError as error:
                # An empty object has no end.
                if error.response["Error"]["Code"] in ("InvalidRange", "416"):
                    return b""
                raise
            return body

        try:
            return await self._do("store.read", read)
        except ObjectAbsent:
            return None

    async def write(self, key: str, body: bytes, content_type: str) -> None:
        """Puts one object in one piece."""
        given = {"Bucket": self._bucket, "Key": key, "Body": body, "ContentType": content_type, **self._encryption}
        await self._do("store.write", lambda: self._client.put_object(**given))

    async def copy(self, key: str, to_key: str) -> bool:
        """One object of any size, which no byte leaves the store for: in pieces where none so large is copied at once (S3: 5 GiB)."""
        source = {"Bucket": self._bucket, "Key": key}
        given = {"Bucket": self._bucket, "Key": to_key, "CopySource": source, **self._encryption}

        def copy_at_once() -> bool:
            try:
                self._client.copy_object(**given)
            except ClientError as error:
                if error.response["Error"]["Code"] in TOO_LARGE:
                    return False
                raise
            return True

        def copy_in_pieces() -> None:
            # Of what is said of an object boto3 keeps nothing in pieces.
            found = self._client.head_object(**source)
            extra = {"ContentType": found["ContentType"], **self._encryption}
            self._client.copy(source, self._bucket, to_key, ExtraArgs=extra, Config=PIECES)

        try:
            if not await self._do("store.copy", copy_at_once):
                await self._do("store.copy_in_pieces", copy_in_pieces, within=UPLOAD_WITHIN)
        except ObjectAbsent:
            return False
        return True

    async def list(self, prefix: str, *, after: str = "", most: int = 1000) -> Sequence[StoredObject]:
        """One page."""
        behind = {"StartAfter": after} if after else {}
        found = await self._do(
            "store.list", lambda: self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=most, **behind)
        )
        return [StoredObject(one["Key"], one["Size"], one["LastModified"]) for one in found.get("Contents", ())]

    async def delete(self, keys: Collection[str]) -> None:
        """All in one request; raises StorageError when the store keeps one."""
        if not keys:
            return
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = await self._do("store.delete", lambda: self._client.delete_objects(Bucket=self._bucket, Delete=wanted))
        if left := answer.get("Errors"):
            raise StorageError(f"{len(left)} objects were not deleted: {left[0].get('Code', 'unknown')}")

    async def upload(self, key: str, path: Path, content_type: str) -> None:
        """A file from the disk; boto3 sends large ones in pieces."""
        extra = {"ContentType": content_type, **self._encryption}

        def send() -> None:
            try:
                self._client.upload_file(str(path), self._bucket, key, ExtraArgs=extra, Config=IN_TURN)
            except S3UploadFailedError:
                # Its text names the key.
                raise StorageError("store.upload: failed") from None

        await self._do("store.upload", send, within=UPLOAD_WITHIN)

    def link(self, key: str, *, seconds: int, file_name: str | None = None, content_type: str | None = None, inside: bool = False) -> str:
        """Signed here, by the public address or by our own."""
        given = {"Bucket": self._bucket, "Key": key}
        if file_name is not None:
            given["ResponseContentDisposition"] = attachment(file_name)
        if content_type is not None:
            given["ResponseContentType"] = content_type
        client = self._client if inside else self._public
        address: str = client.generate_presigned_url("get_object", Params=given, ExpiresIn=seconds)
        return address


def _client(address: S3Address, endpoint: str | None) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=address.region,
        aws_access_key_id=address.access_key,
        aws_secret_access_key=address.secret_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if address.path_style else "auto"},
            connect_timeout=CONNECT_WITHIN,
            read_timeout=READ_WITHIN,
            retries={"total_max_attempts": 2, "mode": "standard"},
            max_pool_connections=THREADS,
            # Checksums beyond the signature's own are AWS's: other stores refuse them.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
