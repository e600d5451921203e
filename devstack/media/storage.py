"""Where a recording goes: a bucket of an S3-compatible store."""

import io
from typing import Any, Final

import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from devstack.media.bus import PsrpcError
from devstack.media.knobs import Knobs
from devstack.store import StorageAddress

# The real worker tries five times.
ATTEMPTS: Final = 5


class UploadFailed(Exception):
    """An object could not be put; the text begins with the words of the real worker."""


class Storage:
    """Puts objects; from any thread."""

    def __init__(self, address: StorageAddress, knobs: Knobs) -> None:
        self._address, self._knobs = address, knobs
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=address.endpoint or None,
            aws_access_key_id=address.access_key,
            aws_secret_access_key=address.secret_key,
            region_name=address.region or "us-east-1",
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                connect_timeout=5,
                read_timeout=20,
                max_pool_connections=20,
            ),
        )

    def location(self, key: str) -> str:
        return f"{self._address.endpoint}/{self._address.bucket}/{key}"

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Blocks until it is there. Raises UploadFailed."""
        if self._knobs.refuse_uploads:
            raise UploadFailed("S3 upload failed: AccessDenied: the knob refuses uploads")
        try:
            self._client.upload_fileobj(
                io.BytesIO(data),
                self._address.bucket,
                key,
                ExtraArgs={"ContentType": content_type},
                Config=TransferConfig(use_threads=False),
            )
        except (ClientError, BotoCoreError, S3UploadFailedError) as error:
            raise UploadFailed(f"S3 upload failed: {error}") from error


class Storages:
    """One client a bucket, for the requests that name their own and for those that leave it to the worker."""

    def __init__(self, own: StorageAddress | None, knobs: Knobs) -> None:
        self._own, self._knobs = own, knobs
        self._made: dict[StorageAddress, Storage] = {}

    def of(self, s3: Any) -> Storage:
        """Raises PsrpcError (invalid_argument) where neither names a bucket."""
        address = self._own if s3 is None else StorageAddress(s3.endpoint, s3.bucket, s3.access_key, s3.secret, s3.region)
        if address is None or not address.bucket:
            raise PsrpcError("invalid_argument", "request has missing or invalid field: output")
        if address not in self._made:
            self._made[address] = Storage(address, self._knobs)
        return self._made[address]
