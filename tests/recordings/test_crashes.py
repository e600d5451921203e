"""The service dies around its question to LiveKit: never two egresses, never one that nobody knows of."""

from dataclasses import dataclass, replace

import pytest

from domain.ports import MediaSilent
from domain.recording_ports import Egress, EgressWanted
from domain.recordings.actions.start import start_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.recorder.driving import drive
from domain.recordings.starting import Manner
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, session
from tests.support.fake_recorder import FakeRecorder

pytestmark = pytest.mark.anyio


class Died(BaseException):
    """The process is gone."""


@dataclass
class Deadly(FakeRecorder):
    """Whoever asks it dies, before or after it has begun."""

    after: bool = False

    async def start(self, wanted: EgressWanted) -> Egress:
        if self.after:
            await FakeRecorder.start(self, wanted)
        raise Died


async def die(call: RecordedCall, *, after: bool) -> None:
    """The button is pressed, and the process dies on its way to LiveKit or back."""
    alive = call.on.recorder
    await start_recording(call.on.world, session(ALICE), call.id, Manner())
    with pytest.raises(Died):
        await drive(replace(call.on.world, recorder=Deadly(alive.egresses, alive.wanted, after=after)))


def running(call: RecordedCall) -> list[str]:
    return [egress.id for egress in call.on.recorder.egresses.values() if not egress.final]


async def test_before_livekit_was_asked(call: RecordedCall) -> None:
    await die(call, after=False)
    await call.pass_time(28)
    assert running(call) == []
    await call.pass_time(4)
    assert running(call) == ["EG_1"]
    assert [(part["status"], part["egress_id"]) for part in await call.parts()] == [("failed", None), ("starting", "EG_1")]
    await call.active()
    assert await call.status() == "recording"


async def test_after_livekit_was_asked(call: RecordedCall) -> None:
    await die(call, after=True)
    await call.turn()
    assert running(call) == ["EG_1"]
    assert [part["egress_id"] for part in await call.parts()] == ["EG_1"]
    await call.active()
    assert await call.status() == "recording"


async def test_stopped_before_the_egress_is_found(call: RecordedCall) -> None:
    await die(call, after=True)
    await stop_recording(call.on.world, session(ALICE), (await call.recording())["id"])
    await call.turn()
    assert running(call) == []


async def test_an_egress_that_begins_after_all(call: RecordedCall) -> None:
    """LiveKit had the question when the process died, and a worker takes it when the part was given up."""
    await die(call, after=False)
    (part,) = await call.parts()
    await call.pass_time(32)
    late = EgressWanted(call.room_name, part["path_prefix"], next(iter(call.on.recorder.wanted.values())).content)
    await call.on.recorder.start(late)
    assert len(running(call)) == 2
    await call.turn()
    assert running(call) == ["EG_1"]


async def test_livekit_is_away_while_the_recorder_works(call: RecordedCall) -> None:
    await call.run()
    call.on.recorder.broken |= {"active", "find", "present", "stop"}
    for _ in range(10):
        call.on.clock.advance(4)
        with pytest.raises(MediaSilent):
            await call.turn()
    call.on.recorder.broken.clear()
    call.upload("EG_1", 13)
    await call.pass_time(8)
    assert running(call) == ["EG_1"]
    assert await call.status() == "recording"
