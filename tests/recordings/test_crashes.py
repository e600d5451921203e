"""The service dies around its question to LiveKit, and around each of its commits: never two egresses, never one that nobody knows of."""

import ast
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from domain import recordings
from domain.errors import AlreadyRecording, NotRecording
from domain.ports import MediaSilent
from domain.recording_ports import Egress, EgressWanted
from domain.recordings.actions.pause import pause_recording, resume_recording
from domain.recordings.actions.start import start_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.names import new_prefix
from domain.recordings.starting import Manner
from domain.world import Transaction, Transactions
from tests.recordings.driven import drive
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


async def test_an_egress_that_came_and_went_unseen(call: RecordedCall) -> None:
    """livekit-server writes an egress into its room's list when the worker has answered, and not when who asked was gone by then."""
    await die(call, after=True)
    await stop_recording(call.on.world, session(ALICE), (await call.recording())["id"])
    call.upload("EG_1", 3, ended=True)
    del call.on.recorder.egresses["EG_1"]
    await call.pass_time(36)
    (part,) = await call.parts()
    assert (part["status"], part["egress_id"], part["duration"]) == ("ready", None, 12)
    assert await call.status() == "ready"
    assert call.on.recorder.egresses == {}


async def test_only_what_is_in_our_rooms_is_ours_to_stop(call: RecordedCall) -> None:
    await call.run()
    for room in ("of another deployment", call.room_name):
        await call.on.recorder.start(replace(call.on.recorder.wanted["EG_1"], room=room, path_prefix=new_prefix(uuid4(), uuid4())))
    await call.turn()
    assert running(call) == ["EG_1", "EG_2"]
    assert call.on.recorder.egresses["EG_2"].room == "of another deployment"


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


def commits() -> list[str]:
    """The names of the transactions that a recording of one picture goes through."""
    rooms = Path(recordings.__file__).parent
    sources = [path.read_text() for room in ("actions", "recorder", "ending") for path in sorted((rooms / room).glob("*.py"))]
    asked = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    named = [one.args[0].value for one in asked if isinstance(one.func, ast.Attribute) and one.func.attr == "transaction" and one.args]  # type: ignore[attr-defined]
    return sorted({str(name) for name in named} - NOT_ON_THIS_WAY)


# Removal and tracks have ways of their own, and the store answers here.
NOT_ON_THIS_WAY = {
    "delete_recording.write",
    "give_recording_consent.write",
    "recording.new_tracks",
    "recording.put_off",
    "recording.give_up",
    "recording.refused",
    "recording.overdue",
}


@dataclass
class DeadlyTransactions:
    """Dies once, before or after the commit of this name."""

    inner: Transactions
    name: str
    moment: str
    died: bool = False

    @asynccontextmanager
    async def __call__(self, name: str) -> AsyncIterator[Transaction]:
        async with self.inner(name) as tx:
            yield tx
            self._die(name, "before")
        self._die(name, "after")

    def _die(self, name: str, moment: str) -> None:
        if not self.died and (name, moment) == (self.name, self.moment):
            self.died = True
            raise Died


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", commits())
async def test_around_each_commit(call: RecordedCall, name: str, moment: str) -> None:
    """A recording with a pause and a dead recorder comes to its end whatever dies on its way; who asked in vain asks again."""
    deadly = DeadlyTransactions(call.on.world.transaction, name, moment)
    call.on.world = replace(call.on.world, transaction=deadly)
    await survive(lambda: start_recording(call.on.world, session(ALICE), call.id, Manner()))
    await survive(call.turn)
    if not call.on.recorder.egresses:
        # Marked as asked for, and never sent: it is given up, and begun anew.
        await call.pass_time(36)
    await survive(call.active)
    recording_id = (await call.recording())["id"]
    await survive(lambda: pause_recording(call.on.world, session(ALICE), recording_id))
    await survive(call.turn)
    await survive(lambda: call.complete(call.on.recorder.last))
    await survive(lambda: resume_recording(call.on.world, session(ALICE), recording_id))
    await survive(lambda: call.pass_time(4))
    await survive(call.active)
    call.on.recorder.dead.add(call.on.recorder.last)
    await survive(lambda: call.pass_time(24))
    await survive(call.active)
    await survive(lambda: stop_recording(call.on.world, session(ALICE), recording_id))
    await survive(lambda: call.pass_time(4))
    await survive(lambda: call.complete(call.on.recorder.last))
    await survive(lambda: call.pass_time(32))
    assert deadly.died
    assert await call.status() == "ready"
    assert [part["status"] for part in await call.parts() if part["egress_id"]] == ["ready"] * 3
    assert set(running(call)) <= call.on.recorder.dead
    assert call.on.recorder.asked["start"] == 3


async def survive(step: Callable[[], Awaitable[object]]) -> None:
    """The step; after a death it is done again by the process that follows."""
    try:
        await step()
    except Died:
        with suppress(AlreadyRecording, NotRecording):
            await step()
