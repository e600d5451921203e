"""The store breaks on demand, as stores do, and loses nothing by it."""

from typing import Any

import httpx2
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from devstack.store import StoreProcess
from tests.devstack.store.conftest import client_of
from tests.devstack.store.refusing import refused


@pytest.fixture
def s3(own_store: StoreProcess) -> Any:
    """A client of a store that holds one object."""
    client = client_of(own_store)
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="one", Body=b"1")
    return client


def is_whole(s3: Any) -> bool:
    listed = [found["Key"] for found in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    return bool(listed == ["one"] and s3.get_object(Bucket="bucket", Key="one")["Body"].read() == b"1")


@pytest.mark.parametrize(
    ("knob", "code", "status"),
    [("refuse_uploads", "AccessDenied", 403), ("full", "XMinioStorageFull", 507), ("overloaded", "SlowDown", 503)],
)
def test_uploads_are_refused(own_store: StoreProcess, s3: Any, knob: str, code: str, status: int) -> None:
    own_store.turn(**{knob: True})
    with refused(code, status):
        s3.put_object(Bucket="bucket", Key="one", Body=b"2")
    with refused(code, status):
        s3.create_multipart_upload(Bucket="bucket", Key="two")
    own_store.turn(**{knob: False})
    assert is_whole(s3)


def test_a_slow_store_answers_later(own_store: StoreProcess, s3: Any) -> None:
    own_store.turn(latency=60)
    with pytest.raises(ReadTimeoutError):
        s3.get_object(Bucket="bucket", Key="one")
    own_store.turn(latency=0)
    assert is_whole(s3)


def test_a_frozen_store_goes_on(own_store: StoreProcess, s3: Any) -> None:
    own_store.freeze()
    with pytest.raises(ReadTimeoutError):
        s3.get_object(Bucket="bucket", Key="one")
    own_store.thaw()
    assert is_whole(s3)


def test_a_stopped_store_comes_back_with_everything(own_store: StoreProcess, s3: Any) -> None:
    own_store.stop()
    with pytest.raises(EndpointConnectionError):
        s3.put_object(Bucket="bucket", Key="two", Body=b"2")
    own_store.start_again()
    assert is_whole(s3)


def test_an_unknown_knob_is_refused(own_store: StoreProcess) -> None:
    answer = httpx2.put(f"{own_store.url}/-/faults", json={"sloow": 1})
    assert (answer.status_code, answer.text) == (400, "no such knob: sloow")
    assert httpx2.get(f"{own_store.url}/-/faults").json()["latency"] == 0
