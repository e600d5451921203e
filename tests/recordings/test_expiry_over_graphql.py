"""What an admin sets through GraphQL, the service does by itself: on a whole service with a real store, which begins no recordings any
more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.storage.s3_store import S3Address, S3Store, open_store
from devstack import store
from tests.recordings.finished import ended_call, finished_recording, status_of
from tests.support.domain_setup import ALICE, MOD, Setup
from tests.support.log_lines import LogLines
from tests.support.waiting import eventually
from tests.support.whole_service import service_and_simulator

pytestmark = pytest.mark.anyio
SET = """mutation ($id: uuid!, $set: nchat_call_recordings_set_input!) {
    update_nchat_call_recordings_by_pk(pk_columns: {id: $id}, _set: $set) { id legal_hold }
}"""


async def test_an_admin_moves_the_end_and_the_unattended_job_does_the_rest(on: Setup, tmp_path: Path, log_lines: LogLines) -> None:
    process = store.start(tmp_path / "objects", access_key="access", secret_key="secret", bucket="recordings", log=tmp_path / "store.log")
    try:
        store_given = {"s3_endpoint": process.url, "s3_access_key": "access", "s3_secret_key": "secret", "recording_bucket": "recordings"}
        given = {**store_given, "recording_enabled": False, "recording_default_policy": "pr0"}
        address = S3Address("recordings", process.url, access_key="access", secret_key="secret")
        async with open_store(address) as bucket, service_and_simulator(on.url, **given) as (service, _):
            call_id = await ended_call(on)
            held, gone = [await finished_recording(on, call_id, bucket) for _ in range(2)]
            soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
            for caller in (service.person(ALICE), service.person(MOD, "moderator"), service.nobody()):
                assert await caller.refusal(SET, {"id": str(gone), "set": {"expires_at": soon}}) == "validation-failed"
            assert await status_of(on, gone) == "ready"
            admin = service.admin()
            await admin.data(SET, {"id": str(held), "set": {"expires_at": soon, "legal_hold": True}})
            process.turn(overloaded=True)
            await admin.data(SET, {"id": str(gone), "set": {"expires_at": soon}})
            await eventually(lambda: tried(on, gone), seconds=30, every=0.1)
            assert await status_of(on, gone) == "ready", "the store is down: nothing is told"
            process.turn(overloaded=False)
            await eventually(lambda: deleted(on, gone), seconds=30, every=0.1)
            assert {one.key.split("/")[1] for one in await bucket.list("")} == {str(held)}
            assert await status_of(on, held) == "ready"
            assert await nothing_left(bucket, gone)
        assert [line["policy"] for line in log_lines if line["event"] == "retention_policy_unknown"] == ["pr0"]
    finally:
        process.stop()


async def tried(on: Setup, recording_id: UUID) -> bool:
    row = "SELECT work_attempts > 0 AND work_taken_until IS NULL FROM nchat_call_recordings WHERE id = $1"
    return bool(await on.database.fetchval(row, recording_id))


async def deleted(on: Setup, recording_id: UUID) -> bool:
    return await status_of(on, recording_id) == "deleted"


async def nothing_left(bucket: S3Store, recording_id: UUID) -> bool:
    return not await bucket.list(f"recordings/{recording_id}/")
