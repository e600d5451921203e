"""A store of a test's session, a bucket of each test's own, and clients of boto3."""

import secrets
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from devstack import store
from devstack.store import StoreProcess


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    folder = tmp_path_factory.mktemp("store")
    process = store.start(folder / "objects", access_key="access", secret_key="a/secret+key", log=folder / "store.log")
    yield process
    process.stop()


@pytest.fixture
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    """One that a test may break."""
    folder = tmp_path_factory.mktemp("store")
    process = store.start(folder / "objects", access_key="access", secret_key="a/secret+key", log=folder / "store.log")
    yield process
    process.stop()


def client_of(process: StoreProcess, **differently: Any) -> Any:
    """A client with the store's keys that tries once."""
    given = {"aws_access_key_id": process.access_key, "aws_secret_access_key": process.secret_key, "region_name": "us-east-1"}
    settings = Config(
        signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=2
    )
    return boto3.client("s3", endpoint_url=process.url, config=settings, **(given | differently))


@pytest.fixture
def s3(running: StoreProcess) -> Any:
    return client_of(running)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"bucket-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=name)
    return name
