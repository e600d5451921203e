"""An S3-compatible bucket as the domain's `ObjectStore` port: boto3, which blocks, in a few threads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.telemetry.moments import Observe, unobserved
from domain.recording_ports import StorageError, StorageRefused, StoredObject

Result = TypeVar("Result")
THREADS: Final = 16
CONNECT_WITHIN: Final = 3
READ_WITHIN: Final = 10
# Answers about one object that is not there.
ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
# Refusals that pass with time.
TRANSIENT: Final = frozenset({"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "503", "500", "429", "Throttling"})


@dataclass(frozen=True, slots=True)
class S3Address:
    """`endpoint` is where this service reaches it, `public_endpoint` where browsers do; both empty for AWS itself."""

    bucket: str
    endpoint: str | None = None
    public_endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = None
    path_style: bool = True


@asynccontextmanager
async def open_store(address: S3Address, *, observe: Observe = unobserved) -> AsyncIterator["S3Store"]:
    """The process's one client, closed at the end."""
    threads = ThreadPoolExecutor(THREADS, "s3")
    try:
        yield S3Store(address, threads, observe)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


class S3Store:
    """`domain.recording_ports.ObjectStore`."""

    def __init__(self, address: S3Address, threads: ThreadPoolExecutor, observe: Observe = unobserved) -> None:
        self._bucket, self._threads, self._observe = address.bucket, threads, observe
        self._client = _client(address, address.endpoint)
        self._public = _client(address, address.public_endpoint or address.endpoint)

    async def head(self, key: str) -> StoredObject | None:
        """Size and type of one object."""
        try:
            found = await self._do("store.head", lambda: self._client.head_object(Bucket=self._bucket, Key=key))
        except _Absent:
            return None
        return StoredObject(key, found["ContentLength"], found["LastModified"], found.get("ContentType", ""))

    async def read(self, key: str, *, last: int | None = None) -> bytes | None:
        """The bytes of a small object, or of its end."""
        tail = {} if last is None else {"Range": f"bytes=-{last}"}

        def read() -> bytes:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key, **tail)["Body"].read()
            return body

        try:
            return await self._do("store.read", read)
        except _Absent:
            return None

    async def write(self, key: str, body: bytes, content_type: str) -> None:
        """Puts one object in one piece."""
        await self._do("store.write", lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type))

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

    def link(self, key: str, *, seconds: int, file_name: str | None = None, content_type: str | None = None) -> str:
        """Signed here, by the public address."""
        given = {"Bucket": self._bucket, "Key": key}
        if file_name is not None:
            given["ResponseContentDisposition"] = f'attachment; filename="{file_name}"'
        if content_type is not None:
            given["ResponseContentType"] = content_type
        address: str = self._public.generate_presigned_url("get_object", Params=given, ExpiresIn=seconds)
        return address

    async def _do(self, name: str, work: Callable[[], Result]) -> Result:
        self._observe(f"{name}:before")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ClientError as error:
            raise _classified(name, error) from None
        except (BotoCoreError, OSError) as error:
            raise StorageError(f"{name}: {type(error).__name__}") from None
        finally:
            self._observe(f"{name}:after")


class _Absent(Exception):
    """There is no such object."""


def _classified(name: str, error: ClientError) -> Exception:
    """By the store's code; its text can quote keys."""
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code in ABSENT:
        return _Absent()
    if code in TRANSIENT:
        return StorageError(f"{name}: {code}")
    return StorageRefused(f"{name}: {code}")


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
        ),
    )
