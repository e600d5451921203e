"""The bucket is made once, and its rules are those that the store gives back."""

from typing import Any

import boto3
import pytest

from app.storage.bucket_rules import CORS, LIFECYCLE
from devstack.store import StoreProcess
from domain.recording_ports import StorageRefused
from tests.storage.conftest import opened

pytestmark = pytest.mark.anyio


def client(store: StoreProcess) -> Any:
    return boto3.client(
        "s3", endpoint_url=store.url, region_name="us-east-1", aws_access_key_id="access", aws_secret_access_key=store.secret_key
    )


async def test_it_is_made_once_and_keeps_what_it_holds(calm: StoreProcess) -> None:
    s3 = client(calm)
    async with opened(calm, bucket="made-by-us") as (store, _):
        assert await store.prepare_bucket() is True
        await store.write("kept", b"1", "text/plain")
        assert await store.prepare_bucket() is False
        assert await store.read("kept") == b"1"
    assert s3.get_bucket_cors(Bucket="made-by-us")["CORSRules"] == CORS["CORSRules"]
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket="made-by-us")["Rules"]
    assert rule == LIFECYCLE["Rules"][0]


async def test_who_may_not_changes_nothing(calm: StoreProcess) -> None:
    async with opened(calm, bucket="never-made", secret_key="another") as (store, _):
        with pytest.raises(StorageRefused):
            await store.prepare_bucket()
    assert "never-made" not in {one["Name"] for one in client(calm).list_buckets()["Buckets"]}
