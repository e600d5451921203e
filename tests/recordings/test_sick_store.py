"""The store fails for a while in the middle of a recording: afterwards everything comes together without a hand, and a gap tells of it."""

import asyncio

import orjson
import pytest

from devstack.store import StoreProcess
from domain.recordings.actions.stop import stop_recording
from tests.recordings.conftest import Workers
from tests.recordings.live_call import LiveCall
from tests.support.domain_setup import ALICE, session
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

SICKNESSES: dict[str, dict[str, bool | float]] = {
    "overloaded": {"overloaded": True},
    "full": {"full": True},
    "refuses": {"refuse_uploads": True},
    "slow": {"latency": 3.0},
}
OUTAGE = 20 if WHOLE else 8


@pytest.mark.parametrize("sickness", SICKNESSES if WHOLE else ["overloaded"])
async def test_a_while(live: LiveCall, workers: Workers, bucket: StoreProcess, sickness: str) -> None:
    workers()
    recording_id = await live.start()
    await live.has_segments(recording_id, 0, 1)
    bucket.turn(**SICKNESSES[sickness])
    await asyncio.sleep(OUTAGE)
    bucket.turn(**dict.fromkeys(SICKNESSES[sickness], False))
    await live.newest_part_grows(recording_id, seconds=60)
    await stop_recording(live.world, session(ALICE), recording_id)
    await live.becomes(recording_id, "ready", seconds=40)
    row, parts = await live.recording(recording_id), await live.parts(recording_id)
    assert len(parts) <= 5
    assert {part["status"] for part in parts} <= {"ready", "failed"}
    assert {gap["reason"] for gap in orjson.loads(row["gaps"])} <= {"storage", "lost"}
    assert row["duration"] >= 8
