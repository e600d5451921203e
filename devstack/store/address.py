"""Where recordings go, and the keys to it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageAddress:
    """A bucket of an S3-compatible store, and who may write to it."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
