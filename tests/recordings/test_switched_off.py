"""A deployment that begins no recordings any more: nothing new, and what there is comes to its end."""

from dataclasses import replace

import pytest

from domain.call_settings.channels import set_channel_call_settings
from domain.calls.actions.end import end_call
from domain.errors import InvalidInput, MediaUnavailable
from domain.recordings.actions.start import start_recording
from domain.recordings.starting import Manner
from domain.timeouts import TIMEOUTS
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, GENERAL, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


@pytest.fixture
async def off(call: RecordedCall) -> RecordedCall:
    """The call while it is recorded, after a restart."""
    await call.run()
    call.on.world = replace(call.on.world, limits=replace(call.on.world.limits, recording=False))
    return call


async def test_what_runs_ends_and_is_ready(off: RecordedCall) -> None:
    await end_call(off.on.world, session(ALICE), off.id)
    await off.turn()
    await off.complete("EG_1")
    assert await off.status() == "ready"


async def test_nothing_begins(off: RecordedCall) -> None:
    await off.on.database.execute("UPDATE nchat_channel_members SET role = 'owner' WHERE user_id = $1", ALICE)
    world, before = off.on.world, await dump(off.on.database)
    with pytest.raises(MediaUnavailable, match="switched off"):
        await start_recording(world, session(ALICE), off.id, Manner())
    with pytest.raises(InvalidInput):
        await set_channel_call_settings(world, session(ALICE), GENERAL, "second")
    assert await dump(off.on.database) == before
    assert {timeout.name for timeout in TIMEOUTS if not timeout.matters(world)} == {"auto_record"}
    assert {timeout.name for timeout in TIMEOUTS if not timeout.matters(replace(world, recorder=None))} == {
        "auto_record",
        "consent_refused",
        "no_host",
        "stream",
        "stream_start",
    }
