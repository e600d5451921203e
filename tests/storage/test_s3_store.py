"""Objects through the adapter; what the store refuses, is late with or can't do; and that nothing piles up behind it."""

import asyncio
import re
import secrets
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest

from app.storage.content_disposition import attachment
from app.storage.recording_bucket import store_address
from app.storage.requests import THREADS, StoreRequests
from devstack.store import StoreProcess
from domain.recording_ports import StorageError, StorageRefused
from tests.media.test_links import settings
from tests.storage.conftest import Counted, opened

pytestmark = pytest.mark.anyio
# More than one piece.
LARGE = (64 << 20) + 5
NAME = 'Müller & Söhne; "Q3" – 50 % $0.mp4'


async def test_a_copy_is_made_by_the_store(calm: StoreProcess, prefix: str) -> None:
    async with opened(calm) as (store, counted):
        await store.write(f"{prefix}a", b"0123456789", "text/plain")
        assert await store.copy(f"{prefix}a", f"{prefix}b")
        assert not await store.copy(f"{prefix}c", f"{prefix}d")
        await store.delete([f"{prefix}a"])
        found = await store.head(f"{prefix}b")
        assert found is not None and (found.size, found.content_type) == (10, "text/plain")
        assert [one.key for one in await store.list(prefix)] == [f"{prefix}b"]
        assert counted[1:3] == [("copy", "ok"), ("copy", "absent")]


async def test_what_is_too_large_for_a_copy_is_copied_in_pieces(calm: StoreProcess, prefix: str, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(secrets.token_bytes(LARGE))
    async with opened(calm) as (store, counted):
        await store.upload(f"{prefix}a", file, "video/mp4")
        calm.turn(largest_copy=LARGE - 1)
        assert await store.copy(f"{prefix}a", f"{prefix}b")
        found = await store.head(f"{prefix}b")
        assert found is not None and (found.size, found.content_type) == (LARGE, "video/mp4")
        assert await store.read(f"{prefix}b") == file.read_bytes()
        calm.turn(refuse_uploads=True)
        with pytest.raises(StorageRefused):
            await store.copy(f"{prefix}a", f"{prefix}c")
        assert [one.key for one in await store.list(prefix)] == [f"{prefix}a", f"{prefix}b"]
    assert ("copy_in_pieces", "ok") in counted


async def test_what_is_written_is_there(calm: StoreProcess, prefix: str) -> None:
    async with opened(calm) as (store, counted):
        await store.write(f"{prefix}a", b"0123456789", "text/plain")
        await store.write(f"{prefix}b", b"", "text/plain")
        found = await store.head(f"{prefix}a")
        assert found is not None and (found.size, found.content_type) == (10, "text/plain")
        assert await store.read(f"{prefix}a") == b"0123456789"
        assert await store.read(f"{prefix}a", last=4) == b"6789"
        assert await store.read(f"{prefix}a", last=400) == b"0123456789"
        assert await store.read(f"{prefix}b", last=4) == b""
        assert [one.key for one in await store.list(prefix, most=1)] == [f"{prefix}a"]
        assert [one.key for one in await store.list(prefix, after=f"{prefix}a")] == [f"{prefix}b"]
        await store.delete([f"{prefix}a", f"{prefix}b", f"{prefix}never"])
        assert (await store.head(f"{prefix}a"), await store.read(f"{prefix}a"), await store.list(prefix)) == (None, None, [])
    assert counted[0] == ("write", "ok") and counted[-3:] == [("head", "absent"), ("read", "absent"), ("list", "ok")]


async def test_ends_are_read_without_a_thread(calm: StoreProcess, prefix: str) -> None:
    """Each running recording is looked at every 4 s: of a thousand of them boto3 would take a third of a core."""
    async with opened(calm) as (store, counted):
        await store.write(f"{prefix}a", b"0123456789", "text/plain")
        threads = {thread.name for thread in threading.enumerate() if thread.name.startswith("s3")}
        counted.clear()
        assert await asyncio.gather(*(store.read(f"{prefix}a", last=4) for _ in range(40))) == [b"6789"] * 40
        assert {thread.name for thread in threading.enumerate() if thread.name.startswith("s3")} == threads
    assert counted == [("read", "ok")] * 40


async def test_an_end_that_is_refused_or_late_says_so_as_the_whole_does(calm: StoreProcess, prefix: str) -> None:
    async with opened(calm, secret_key="wrong") as (store, counted):
        with pytest.raises(StorageRefused, match="the secret key is wrong"):
            await store.read(f"{prefix}a", last=4)
        assert counted == [("read", "refused")]
    async with opened(calm) as (store, counted):
        assert await store.read(f"{prefix}never", last=4) is None
        calm.turn(overloaded=True)
        with pytest.raises(StorageError, match="SlowDown"):
            await store.read(f"{prefix}a", last=4)
        assert counted == [("read", "absent"), ("read", "error")]
    async with opened(calm, endpoint="http://127.0.0.1:9") as (store, counted):
        with pytest.raises(StorageError, match="EndpointConnectionError"):
            await store.read(f"{prefix}a", last=4)
        assert counted == [("read", "unreachable")]


async def test_another_bucket_behind_the_same_key(calm: StoreProcess, prefix: str) -> None:
    async with opened(calm) as (store, counted):
        other = store.of(f"other-{prefix.strip('/')}"[:40])
        await other.prepare_bucket()
        await other.write(f"{prefix}a", b"there", "text/plain")
        assert (await store.read(f"{prefix}a"), await store.of(other.bucket).read(f"{prefix}a")) == (None, b"there")
        with await asyncio.to_thread(urllib.request.urlopen, other.link(f"{prefix}a", seconds=60)) as answer:
            assert answer.read() == b"there"
        await store.delete([f"{prefix}a"])
        assert await other.head(f"{prefix}a") is not None
        assert (store.of(None), store.of(""), store.of(store.bucket)) == (store, store, store)
    assert {outcome for _, outcome in counted} == {"ok", "absent"}


@pytest.mark.parametrize("name", [NAME, "a.mp4", "会議 2026.mp4", 'x"; filename="evil.exe\r\nX: y.mp4', "a\\b.mp4"])
async def test_a_link_saves_under_any_name(calm: StoreProcess, prefix: str, name: str) -> None:
    async with opened(calm) as (store, counted):
        await store.write(f"{prefix}a", b"media", "video/mp4")
        address = store.link(f"{prefix}a", seconds=60, file_name=name)
        with await asyncio.to_thread(urllib.request.urlopen, address) as answer:
            told, body = answer.headers["content-disposition"], answer.read()
    plain, _, full = told.partition("; filename*=UTF-8''")
    assert (body, unquote(full)) == (b"media", name)
    assert re.fullmatch(r'attachment; filename="[^"\\%\r\n]+"', plain) and told == attachment(name) and told.isascii()
    assert counted == [("write", "ok")]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"secret_key": "wrong"}, "the secret key is wrong (SignatureDoesNotMatch)"),
        ({"access_key": "nobody"}, "it does not know the access key (InvalidAccessKeyId)"),
        ({"bucket": "elsewhere"}, "there is no such bucket (NoSuchBucket)"),
    ],
)
async def test_a_wrong_setting_is_told_in_words(calm: StoreProcess, other: dict[str, str], said: str) -> None:
    async with opened(calm, **other) as (store, counted):
        for name, ask in (
            ("head", lambda: store.head("a")),
            ("read", lambda: store.read("a")),
            ("write", lambda: store.write("a", b"", "text/plain")),
            ("list", lambda: store.list("a")),
            ("delete", lambda: store.delete(["a"])),
        ):
            with pytest.raises(StorageRefused) as refusal:
                await ask()
            assert str(refusal.value) == f"store.{name}: {said}"
    assert {outcome for _, outcome in counted} == {"refused"} and len(counted) == 5


async def test_no_right_and_no_space(calm: StoreProcess, prefix: str) -> None:
    async with opened(calm) as (store, _):
        for knob, said in (("refuse_uploads", "the key has no right to that (AccessDenied)"), ("full", "it is full (XMinioStorageFull)")):
            calm.turn(**{knob: True})
            with pytest.raises(StorageRefused) as refusal:
                await store.write(f"{prefix}a", b"x", "text/plain")
            assert str(refusal.value) == f"store.write: {said}"
            calm.turn(**{knob: False})
        assert await store.list(prefix) == []


async def test_what_passes_with_time_is_told_apart(calm: StoreProcess) -> None:
    async with opened(calm) as (store, counted):
        calm.turn(overloaded=True)
        with pytest.raises(StorageError) as failure:
            await store.read("a")
        assert not isinstance(failure.value, StorageRefused) and str(failure.value) == "store.read: SlowDown"
    async with opened(calm, endpoint="http://127.0.0.1:9") as (store, unreached):
        with pytest.raises(StorageError, match=r"^store\.read: EndpointConnectionError$"):
            await store.read("a")
    assert counted + unreached == [("read", "error"), ("read", "unreachable")]


async def test_nothing_piles_up_behind_a_store_that_stands_still() -> None:
    """As many wait in threads as there are; the others wait here and give up, and no place is lost."""
    resting, threads = threading.Event(), ThreadPoolExecutor(THREADS)
    counted, began = Counted(), []

    def rest() -> None:
        began.append(1)
        resting.wait(20)

    requests = StoreRequests(threads, count=counted)
    asked = [asyncio.create_task(requests("store.read", rest, within=0.2)) for _ in range(5 * THREADS)]
    failures = await asyncio.gather(*asked, return_exceptions=True)
    assert {str(failure) for failure in failures} == {"store.read: no answer within 0.2 s"}
    assert len(began) == THREADS and counted == [("read", "timeout")] * 5 * THREADS
    resting.set()
    assert await asyncio.gather(*(requests("store.read", lambda: 1) for _ in range(3 * THREADS))) == [1] * 3 * THREADS
    threads.shutdown()


def test_writes_ask_for_encryption() -> None:
    given = {"s3_endpoint": "http://store.example", "s3_access_key": "a", "s3_secret_key": "b"}
    assert store_address(settings(**given)).encryption == {}
    assert store_address(settings(**given, s3_sse="AES256")).encryption == {"ServerSideEncryption": "AES256"}
    kms = store_address(settings(**given, s3_sse="aws:kms", s3_sse_kms_key_id="key"))
    assert kms.encryption == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key"}
    with pytest.raises(ValueError, match="NCHAT_S3_SSE_KMS_KEY_ID needs"):
        settings(**given, s3_sse_kms_key_id="key")


async def test_a_write_says_so(monkeypatch: pytest.MonkeyPatch, calm: StoreProcess, prefix: str) -> None:
    sent: list[dict[str, str]] = []

    class Client:
        def put_object(self, **given: str) -> None:
            sent.append(given)

    async with opened(calm, encryption={"ServerSideEncryption": "AES256"}) as (store, _):  # type: ignore[arg-type]
        with monkeypatch.context() as patched:
            patched.setattr(store, "_client", Client())
            await store.write(f"{prefix}a", b"x", "text/plain")
    assert [one["ServerSideEncryption"] for one in sent] == ["AES256"]
