"""Who asks must hold the key: in the header or in a link, for this request alone, in its time, with this body."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from devstack.store import StoreProcess
from tests.devstack.store.conftest import client_of
from tests.devstack.store.refusing import refused


@pytest.fixture
def link(s3: Any, bucket: str) -> str:
    """A presigned address of an object that holds `hello`."""
    s3.put_object(Bucket=bucket, Key="a b/ü.txt", Body=b"hello", ContentType="text/plain")
    return str(s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/ü.txt"}, ExpiresIn=60))


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_wrong_keys(running: StoreProcess, bucket: str) -> None:
    with refused("InvalidAccessKeyId", 403):
        client_of(running, aws_access_key_id="stranger").list_objects_v2(Bucket=bucket)
    with refused("SignatureDoesNotMatch", 403):
        client_of(running, aws_secret_access_key="guessed").put_object(Bucket=bucket, Key="one", Body=b"1")
    assert "Contents" not in client_of(running).list_objects_v2(Bucket=bucket)


def test_nobody_without_a_signature(running: StoreProcess, link: str) -> None:
    bare = link.partition("?")[0]
    assert code_of(httpx2.get(bare)) == (403, "AccessDenied")
    assert code_of(httpx2.put(bare, content=b"another")) == (403, "AccessDenied")
    assert code_of(httpx2.delete(bare)) == (403, "AccessDenied")
    assert code_of(httpx2.get(bare, headers={"Authorization": "Basic YWNjZXNzOmE="})) == (403, "AccessDenied")
    assert httpx2.get(link).text == "hello"


def test_a_link_is_for_its_request_alone(link: str) -> None:
    assert httpx2.get(link, headers={"Range": "bytes=1-2"}).text == "el"
    assert code_of(httpx2.delete(link)) == (403, "SignatureDoesNotMatch")
    assert code_of(httpx2.put(link, content=b"")) == (403, "SignatureDoesNotMatch")
    assert code_of(httpx2.get(link.replace("%C3%BC.txt", "other"))) == (403, "SignatureDoesNotMatch")
    assert code_of(httpx2.get(link + "&response-content-type=text%2Fhtml")) == (403, "SignatureDoesNotMatch")
    assert code_of(httpx2.get(link.replace("Expires=60", "Expires=600"))) == (403, "SignatureDoesNotMatch")


def test_a_link_ends(s3: Any, bucket: str, link: str) -> None:
    with_past = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/ü.txt"}, ExpiresIn=0)
    assert code_of(httpx2.get(with_past))[0] == 403
    assert "Request has expired" in httpx2.get(with_past).text
    too_long = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/ü.txt"}, ExpiresIn=7 * 86_400 + 1)
    assert code_of(httpx2.get(too_long)) == (400, "InvalidArgument")


def test_a_link_may_say_how_it_is_saved(s3: Any, bucket: str, link: str) -> None:
    said = {"ResponseContentDisposition": 'attachment; filename="Call of Monday.mp4"', "ResponseContentType": "video/mp4"}
    answer = httpx2.get(s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/ü.txt"} | said))
    assert answer.headers["content-disposition"] == 'attachment; filename="Call of Monday.mp4"'
    assert answer.headers["content-type"] == "video/mp4"


def test_a_link_to_put(s3: Any, bucket: str) -> None:
    address = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "put", "ContentType": "image/jpeg"})
    assert code_of(httpx2.put(address, content=b"picture", headers={"Content-Type": "text/html"})) == (403, "SignatureDoesNotMatch")
    assert httpx2.put(address, content=b"picture", headers={"Content-Type": "image/jpeg"}).status_code == 200
    assert s3.get_object(Bucket=bucket, Key="put")["Body"].read() == b"picture"


def signed_put(process: StoreProcess, bucket: str, *, at: datetime) -> AWSRequest:
    """A request that is signed in the header as if it were this time."""
    request = AWSRequest("PUT", f"{process.url}/{bucket}/one", data=b"what was signed")
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    signer = S3SigV4Auth(Credentials(process.access_key, process.secret_key), "s3", "us-east-1")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    request.headers["X-Amz-Content-SHA256"] = signer.payload(request)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    signer._inject_signature_to_request(request, signature)
    return request


def test_a_body_that_was_not_signed_is_not_taken(running: StoreProcess, s3: Any, bucket: str) -> None:
    request = signed_put(running, bucket, at=datetime.now(UTC))
    answer = httpx2.put(request.url, headers=dict(request.headers), content=b"what came instead")
    assert code_of(answer) == (400, "XAmzContentSHA256Mismatch")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert httpx2.put(request.url, headers=dict(request.headers), content=b"what was signed").status_code == 200


@pytest.mark.parametrize("off", [timedelta(minutes=-16), timedelta(minutes=16)])
def test_a_request_of_another_time(running: StoreProcess, s3: Any, bucket: str, off: timedelta) -> None:
    request = signed_put(running, bucket, at=datetime.now(UTC) + off)
    answer = httpx2.put(request.url, headers=dict(request.headers), content=b"what was signed")
    assert code_of(answer) == (403, "RequestTimeTooSkewed")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
