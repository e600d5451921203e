"""Calls of a channel with manners of recording, and the jobs that keep them."""

from dataclasses import dataclass
from uuid import UUID

from domain.call_settings.manners import Wishes
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.recordings.actions.consent import give_recording_consent
from domain.recordings.actions.start import start_recording
from domain.recordings.ending.deadlines import end_due
from domain.recordings.ending.finishing import finish
from domain.recordings.manners.consent import begin_agreed
from domain.recordings.starting import Manner
from domain.timeouts import run_timeouts
from tests.recordings.driven import drive
from tests.support.domain_setup import ALICE, GENERAL, Setup, session
from tests.support.telling_rooms import TellingRoom


@dataclass(slots=True)
class AskedCall:
    """alice hosts it; whoever else comes in comes by `arrive`."""

    on: Setup
    id: UUID
    room: TellingRoom

    async def arrive(self, *people: UUID, consenting: bool = False) -> None:
        """They are rung, accept and connect with a microphone, one after the other."""
        for user_id in people:
            if consenting:
                await give_recording_consent(self.on.world, session(user_id), self.id)
            await accept_call(self.on.world, session(user_id), self.id)
            self.on.clock.advance(1)
            await self.room.join(user_id, "microphone")

    async def record(self, by: UUID = ALICE) -> UUID:
        return (await start_recording(self.on.world, session(by), self.id, Manner())).recording_id

    async def turn(self) -> None:
        """What is due."""
        await run_timeouts(self.on.world)
        await begin_agreed(self.on.world)
        await end_due(self.on.world)
        await drive(self.on.world)
        await finish(self.on.world)

    async def pass_time(self, seconds: float) -> None:
        self.on.clock.advance(seconds)
        await self.turn()

    async def statuses(self) -> list[str]:
        """Of every recording of the call, the first first."""
        asked = "SELECT status::text FROM nchat_call_recordings WHERE call_id = $1 ORDER BY created_at"
        return [row["status"] for row in await self.on.database.fetch(asked, self.id)]

    async def told(self) -> list[str]:
        """The kinds of events about recordings."""
        return [kind for kind in await self.on.kinds(self.id) if kind.startswith("recording_")]

    async def state(self, user_id: UUID) -> tuple[str, str | None]:
        row = await self.on.participant(self.id, user_id)
        return row["status"], row["leave_reason"]


async def begin(on: Setup, *targets: UUID, auto_record: str = "off", consent: str = "notify", joins: bool = True) -> AskedCall:
    """alice starts a call in the channel and, with `joins`, is connected with a microphone."""
    manners = Wishes(auto_record, consent)  # type: ignore[arg-type]
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", targets, channel_id=GENERAL, manners=manners))
    call = AskedCall(on, started.call_id, TellingRoom(on, started.room_name))
    if joins:
        await call.room.join(ALICE, "microphone")
    return call
