"""Buckets are made and emptied; a listing comes in pages, in order, and by folders."""

from itertools import pairwise
from typing import Any

from tests.devstack.store.refusing import refused


def put(s3: Any, bucket: str, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")


def test_a_bucket_is_made_once(s3: Any, bucket: str) -> None:
    with refused("BucketAlreadyOwnedByYou", 409):
        s3.create_bucket(Bucket=bucket)
    with refused("404", 404):
        s3.head_bucket(Bucket="no-such-bucket")
    s3.head_bucket(Bucket=bucket)
    assert bucket in [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_a_full_bucket_is_not_deleted(s3: Any, bucket: str) -> None:
    put(s3, bucket, "one")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="one")
    s3.delete_bucket(Bucket=bucket)
    with refused("404", 404):
        s3.head_bucket(Bucket=bucket)


def test_pages_hold_each_object_once_and_in_order(s3: Any, bucket: str) -> None:
    keys = sorted(f"p/{number % 3}/{number}" for number in range(23))
    put(s3, bucket, *keys, "o", "q")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="p/", PaginationConfig={"PageSize": 5}))
    listed = [found["Key"] for page in pages for found in page["Contents"]]
    assert listed == keys
    assert all(left < right for left, right in pairwise(listed))
    assert [page["KeyCount"] for page in pages] == [5, 5, 5, 5, 3]


def test_folders(s3: Any, bucket: str) -> None:
    put(s3, bucket, "a", "b/1", "b/2", "c", "d/1/x", "d/2")
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [found["Key"] for found in page["Contents"]] == ["a", "c"]
    assert [found["Prefix"] for found in page["CommonPrefixes"]] == ["b/", "d/"]
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}))
    seen = [
        *(found["Key"] for page in pages for found in page.get("Contents", [])),
        *(found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])),
    ]
    assert seen == ["a", "c", "b/", "d/"]
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, StartAfter="b/1")["Contents"]] == ["b/2", "c", "d/1/x", "d/2"]


def test_many_are_deleted_at_once_whether_there_or_not(s3: Any, bucket: str) -> None:
    put(s3, bucket, "one", "two & three", "four")
    keys = [{"Key": key} for key in ("one", "two & three", "never was")]
    told = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    assert [found["Key"] for found in told["Deleted"]] == ["one", "two & three", "never was"]
    assert "Errors" not in told
    assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["four"]
    with refused("MalformedXML", 400):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": str(number)} for number in range(1001)]})
