"""The store's key is changed, or its bucket gone, in the middle of a recording: nothing is `ready` that is not there, a sentence says why,
and all comes together when the key is right again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import orjson
import pytest

from app.storage.s3_store import S3Address, S3Store, open_store
from devstack.store import StoreProcess
from domain.recordings.actions.stop import stop_recording
from domain.recordings.names import playlist_key
from domain.recordings.playlists import segments_of
from tests.recordings.conftest import Workers
from tests.recordings.live_call import LiveCall
from tests.support.domain_setup import ALICE, session
from tests.support.log_lines import LogLines
from tests.support.recording_servers import BUCKET
from tests.support.waiting import eventually
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]
NOT_TAKEN, NOT_SHOWN = "The store refused what was recorded.", "The store refuses to show what was recorded."


class Rekeyed:
    """The store as the service reaches it, by the key and bucket of the moment."""

    def __init__(self, now: S3Store) -> None:
        self.now = now

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)


@pytest.fixture
def own_store(own_store: S3Store) -> Rekeyed:
    return Rekeyed(own_store)


@contextmanager
def locked(bucket: StoreProcess, how: str) -> Iterator[None]:
    """Until the block ends the store knows another key, or its bucket is gone. A child ends with the thread that started it: not one of
    the pool's."""
    secret, folder, away = bucket.secret_key, bucket.folder / BUCKET, bucket.folder.with_name("away")
    bucket.stop()
    if how == "key":
        bucket.secret_key = "a newer secret of the store's"
    else:
        bucket.bucket = None
        folder.rename(away)
    bucket.start_again()
    try:
        yield
    finally:
        bucket.stop()
        bucket.secret_key, bucket.bucket = secret, BUCKET
        if how == "bucket":
            away.rename(folder)
        bucket.start_again()


@pytest.mark.parametrize("how", ["key", "bucket"] if WHOLE else ["key"])
async def test_nobody_may_write_or_look_for_a_while(live: LiveCall, workers: Workers, bucket: StoreProcess, how: str) -> None:
    workers()
    recording_id = await live.start()
    await live.has_segments(recording_id, 0, 1)
    with locked(bucket, how):
        for index in (0, 1):
            await live.part_ends(recording_id, index, "storage")
        assert (await live.recording(recording_id))["status"] == "recording"
        refused = await live.parts(recording_id)
        assert {part["error_message"] for part in refused[:2]} == {NOT_TAKEN}
        assert not any(part["status"] == "ready" for part in refused)
    await live.newest_part_grows(recording_id, seconds=60)
    await stop_recording(live.world, session(ALICE), recording_id)
    await live.becomes(recording_id, "ready", seconds=40)
    row, parts = await live.recording(recording_id), await live.parts(recording_id)
    assert [gap["reason"] for gap in orjson.loads(row["gaps"])] == ["storage"]
    assert row["error_message"] is None
    assert [part["status"] for part in (parts[0], parts[-1])] == ["ready", "ready"]
    for part in parts:
        assert part["segments"] == await segments_there(live, part)


async def segments_there(live: LiveCall, part: asyncpg.Record) -> int:
    """How many of a part lie in the store; each of them once, and each that the playlist names."""
    store = live.world.store
    assert store is not None
    there = {one.key.removeprefix(part["path_prefix"]) for one in await store.list(part["path_prefix"])}
    named = [one.name for one in segments_of(await store.read(playlist_key(part["path_prefix"])) or b"")]
    assert sorted(named) == sorted(name for name in there if name.endswith(".ts"))
    return len(named)


async def test_the_service_alone_is_refused(
    live: LiveCall, workers: Workers, bucket: StoreProcess, own_store: Rekeyed, log_lines: LogLines
) -> None:
    """What nobody can look at is neither lost nor ready."""
    workers()
    recording_id, right = await live.start(), own_store.now
    await live.has_segments(recording_id, 0, 1)
    wrong_key = S3Address(BUCKET, bucket.url, access_key=bucket.access_key, secret_key="of another deployment")
    async with open_store(wrong_key) as without_key:
        own_store.now = without_key
        await told(log_lines, "playlist_not_read", "the secret key is wrong")
        assert [part["status"] for part in await live.parts(recording_id)] == ["recording"]
        await stop_recording(live.world, session(ALICE), recording_id)
        await told(log_lines, "part_not_finished", "the secret key is wrong")
        await live.says(recording_id, NOT_SHOWN)
        waiting = await live.recording(recording_id)
        assert (waiting["status"], waiting["duration"]) == ("processing", None)
        own_store.now = right
        await live.becomes(recording_id, "ready")
    row, (part,) = await live.recording(recording_id), await live.parts(recording_id)
    assert (row["gaps"], row["error_message"], part["error_message"]) == ("[]", None, None)
    assert part["segments"] == await segments_there(live, part)
    for secret in (bucket.secret_key, bucket.access_key, part["path_prefix"], bucket.url):
        assert secret not in str(log_lines)


async def told(log_lines: LogLines, event: str, why: str) -> None:
    """Our own log says so."""

    async def so() -> bool:
        return any(line["event"] == event and why in line["error"] for line in log_lines)

    await eventually(so, seconds=20)
