"""Objects come back as they were put, whole or in part, under any key, over restarts and while they are replaced."""

import io
from typing import Any

import httpx2
import pytest

from devstack.store import StoreProcess
from tests.devstack.store.conftest import client_of
from tests.devstack.store.refusing import refused

KEYS = ["a", "a/b", "a/b/c.ts", "with space & + % = ?.txt", "ünïcode/日本/🎥", "..", "x/../y", "~.-_*'()!", "//double", "k" * 1024]


@pytest.mark.parametrize("key", KEYS)
def test_any_key_holds_an_object(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_key_beside_one_that_it_begins_with(s3: Any, bucket: str) -> None:
    for key in ("a", "a/b", "a/b/c"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in ("a", "a/b", "a/b/c")] == [b"a", b"a/b", b"a/b/c"]


def test_what_is_said_of_an_object_is_kept(s3: Any, bucket: str) -> None:
    made = s3.put_object(
        Bucket=bucket,
        Key="one.m3u8",
        Body=b"#EXTM3U",
        ContentType="application/vnd.apple.mpegurl",
        ContentDisposition='attachment; filename="one.m3u8"',
        CacheControl="no-store",
        ServerSideEncryption="AES256",
        Metadata={"recording": "17"},
    )
    assert made["ServerSideEncryption"] == "AES256"
    seen = s3.head_object(Bucket=bucket, Key="one.m3u8")
    assert seen["ContentType"] == "application/vnd.apple.mpegurl"
    assert seen["ContentDisposition"] == 'attachment; filename="one.m3u8"'
    assert (seen["CacheControl"], seen["ServerSideEncryption"], seen["Metadata"]) == ("no-store", "AES256", {"recording": "17"})
    assert (seen["ContentLength"], seen["ETag"]) == (7, made["ETag"])


def test_without_a_type_it_is_bytes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="one", Body=b"")
    assert s3.head_object(Bucket=bucket, Key="one")["ContentType"] == "binary/octet-stream"


@pytest.mark.parametrize(
    ("asked", "part", "told"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_range(s3: Any, bucket: str, asked: str, part: bytes, told: str) -> None:
    s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="digits", Range=asked)
    assert (got["Body"].read(), got["ContentRange"], got["ResponseMetadata"]["HTTPStatusCode"]) == (part, told, 206)


def test_a_range_behind_the_end(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key="digits", Range="bytes=10-")


def test_several_ranges_are_ignored(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    assert s3.get_object(Bucket=bucket, Key="digits", Range="bytes=0-1,4-5")["Body"].read() == b"0123456789"


def test_only_if_changed(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="one", Body=b"1")["ETag"]
    with refused("304", 304):
        s3.get_object(Bucket=bucket, Key="one", IfNoneMatch=etag)
    with refused("PreconditionFailed", 412):
        s3.get_object(Bucket=bucket, Key="one", IfMatch='"another"')
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="one", Body=b"2", IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key="one", IfMatch=etag)["Body"].read() == b"1"


def test_what_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="nothing")
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="nothing")
    with refused("NoSuchBucket", 404):
        s3.get_object(Bucket="no-such-bucket", Key="nothing")
    with refused("NoSuchBucket", 404):
        s3.put_object(Bucket="no-such-bucket", Key="nothing", Body=b"")
    s3.delete_object(Bucket=bucket, Key="nothing")


def test_a_copy_is_an_object_of_its_own(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "with space & ünïcode"}
    made = s3.put_object(**source, Body=b"1", ContentType="video/mp2t", Metadata={"of": "one"})
    assert s3.copy_object(Bucket=bucket, Key="two", CopySource=source)["CopyObjectResult"]["ETag"] == made["ETag"]
    s3.delete_object(**source)
    kept = s3.get_object(Bucket=bucket, Key="two")
    assert (kept["Body"].read(), kept["ContentType"], kept["Metadata"]) == (b"1", "video/mp2t", {"of": "one"})
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="three", CopySource=source)
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["two"]


def test_nothing_is_copied_from_elsewhere_and_no_rights_are_set(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="one", Body=b"1")
    with refused("NotImplemented", 501):
        s3.copy_object(Bucket=bucket, Key="two", CopySource={"Bucket": "another", "Key": "one"})
    with refused("NotImplemented", 501):
        s3.put_object_acl(Bucket=bucket, Key="one", ACL="public-read")
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["one"]
    assert s3.get_object(Bucket=bucket, Key="one")["Body"].read() == b"1"


def test_a_reader_of_what_is_replaced_and_deleted_reads_to_the_end(s3: Any, bucket: str) -> None:
    before = bytes(8 << 20)
    s3.put_object(Bucket=bucket, Key="big", Body=before)
    with httpx2.stream("GET", s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "big"})) as reading:
        pieces = reading.iter_bytes()
        got = len(next(pieces))
        s3.put_object(Bucket=bucket, Key="big", Body=b"another")
        s3.delete_object(Bucket=bucket, Key="big")
        assert got + sum(map(len, pieces)) == len(before)


def test_objects_outlive_the_process(own_store: StoreProcess) -> None:
    s3 = client_of(own_store)
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a/one", Body=b"1", ContentType="video/mp2t")
    s3.upload_fileobj(io.BytesIO(bytes(20 << 20)), "kept", "a/two")
    own_store.stop()
    own_store.start_again()
    seen = s3.get_object(Bucket="kept", Key="a/one")
    assert (seen["Body"].read(), seen["ContentType"]) == (b"1", "video/mp2t")
    assert {found["Key"]: found["Size"] for found in s3.list_objects_v2(Bucket="kept")["Contents"]} == {"a/one": 1, "a/two": 20 << 20}
    files = [path for path in (own_store.folder / "kept").iterdir() if path.is_file()]
    assert len(files) == 4  # the bytes of each, and its note
