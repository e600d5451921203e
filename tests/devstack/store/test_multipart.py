"""Large objects come in parts: nothing is there before the last word, nothing stays of what was given up."""

from functools import partial
from hashlib import md5 as insecure_md5
from typing import Any

from devstack.store import StoreProcess
from tests.devstack.store.conftest import client_of
from tests.devstack.store.refusing import refused

PART = 5 << 20
md5 = partial(insecure_md5, usedforsecurity=False)


def begin(s3: Any, bucket: str, **attributes: str) -> dict[str, str]:
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="big", **attributes)["UploadId"]
    return {"Bucket": bucket, "Key": "big", "UploadId": upload_id}


def put_part(s3: Any, upload: dict[str, str], number: int, body: bytes) -> dict[str, Any]:
    return {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}


def test_parts_make_one_object(s3: Any, bucket: str) -> None:
    upload = begin(s3, bucket, ContentType="video/mp4")
    second = put_part(s3, upload, 2, b"end")
    put_part(s3, upload, 1, b"x" * PART)
    first = put_part(s3, upload, 1, b"a" * PART)
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="big")
    assert [found["UploadId"] for found in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload["UploadId"]]

    told = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [first, second]})
    got = s3.get_object(Bucket=bucket, Key="big")
    assert got["Body"].read() == b"a" * PART + b"end"
    assert got["ContentType"] == "video/mp4"
    digests = md5(b"a" * PART).digest() + md5(b"end").digest()
    assert told["ETag"] == got["ETag"] == f'"{md5(digests).hexdigest()}-2"'
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_what_was_given_up_is_gone(s3: Any, bucket: str) -> None:
    upload = begin(s3, bucket)
    part = put_part(s3, upload, 1, b"1")
    s3.abort_multipart_upload(**upload)
    with refused("NoSuchUpload", 404):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
    with refused("NoSuchUpload", 404):
        s3.upload_part(**upload, PartNumber=2, Body=b"2")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_parts_that_make_no_object(s3: Any, bucket: str) -> None:
    upload = begin(s3, bucket)
    parts = [put_part(s3, upload, 1, b"small"), put_part(s3, upload, 2, b"end")]
    with refused("EntityTooSmall", 400):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    with refused("InvalidPartOrder", 400):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts[::-1]})
    with refused("InvalidPart", 400):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 3, "ETag": parts[0]["ETag"]}]})
    with refused("InvalidArgument", 400):
        s3.upload_part(**upload, PartNumber=10_001, Body=b"")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_what_is_too_large_is_copied_range_by_range(own_store: StoreProcess) -> None:
    s3 = client_of(own_store)
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="one", Body=b"a" * PART + b"end")
    source = {"Bucket": "kept", "Key": "one"}
    own_store.turn(largest_copy=PART)
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket="kept", Key="big", CopySource=source)
    upload = begin(s3, "kept")
    with refused("InvalidRequest", 400):
        s3.upload_part_copy(**upload, PartNumber=1, CopySource=source)
    with refused("InvalidArgument", 400):
        s3.upload_part_copy(**upload, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=0-{PART + 3}")
    ranges = {1: f"bytes=0-{PART - 1}", 2: f"bytes={PART}-{PART + 2}"}
    made = {
        number: s3.upload_part_copy(**upload, PartNumber=number, CopySource=source, CopySourceRange=one) for number, one in ranges.items()
    }
    parts = [{"PartNumber": number, "ETag": one["CopyPartResult"]["ETag"]} for number, one in made.items()]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="kept", Key="big")["Body"].read() == b"a" * PART + b"end"


def test_a_restart_loses_no_part(own_store: StoreProcess) -> None:
    s3 = client_of(own_store)
    s3.create_bucket(Bucket="kept")
    upload = begin(s3, "kept")
    first = put_part(s3, upload, 1, bytes(PART))
    own_store.stop()
    own_store.start_again()
    second = put_part(s3, upload, 2, b"end")
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [first, second]})
    assert s3.head_object(Bucket="kept", Key="big")["ContentLength"] == PART + 3
