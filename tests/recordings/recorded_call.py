"""A running call, what a test makes of its recorder, and what the database says of its recording."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.recordings.actions.start import start_recording
from domain.recordings.ending.deadlines import end_due
from domain.recordings.ending.finishing import finish
from domain.recordings.recorder.strays import stop_strays
from domain.recordings.recorder.tracks import record_new_tracks
from domain.recordings.recorder.watching import watch
from domain.recordings.starting import Manner
from domain.webhooks import inbox
from tests.recordings.driven import drive
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, Setup, session
from tests.support.telling_rooms import TellingRoom


@dataclass(slots=True)
class RecordedCall:
    on: Setup
    id: UUID
    room: TellingRoom
    room_name: str
    events_sent: int = 0

    async def start(self, manner: Manner | None = None) -> UUID:
        """alice presses the button, and LiveKit is asked."""
        recording_id = (await start_recording(self.on.world, session(ALICE), self.id, manner or Manner())).recording_id
        await self.turn()
        return recording_id

    async def run(self, manner: Manner | None = None, *, segments: int = 3) -> UUID:
        """A recording that has come so far."""
        recording_id = await self.start(manner)
        await self.active(segments)
        return recording_id

    async def active(self, segments: int = 3) -> None:
        """The newest egress writes, and has uploaded so much."""
        egress_id = self.on.recorder.last
        self.on.recorder.become(egress_id, "active")
        await self.tell(egress_id)
        self.upload(egress_id, segments)
        self.on.clock.advance(4)
        await self.turn()

    def upload(self, egress_id: str, segments: int, *, ended: bool = False) -> None:
        self.on.store.hold(self.on.recorder.wanted[egress_id].path_prefix, segments, self.on.clock.now(), ended=ended)

    async def complete(self, egress_id: str, status: str = "complete", error_code: int = 0, *, segments: int = 3) -> None:
        """It uploaded everything and LiveKit says so."""
        self.upload(egress_id, segments, ended=True)
        self.on.recorder.become(egress_id, status, error_code)  # type: ignore[arg-type]
        await self.tell(egress_id)
        await self.turn()

    async def leave(self, egress_id: str) -> None:
        """The recorder goes out of the room."""
        self.on.recorder.gone.add(egress_id)
        participant = {"identity": egress_id, "sid": f"PA_{egress_id}", "kind": "egress", "state": "disconnected"}
        await self._hear("participant_left", {"participant": participant})
        await self.turn()

    async def tell(self, egress_id: str) -> None:
        """The webhook about its present record."""
        record = self.on.recorder.egresses[egress_id]
        told = {"id": egress_id, "status": f"egress_{record.status}", "error_code": record.error_code}
        await self._hear("egress_updated", {"egress": told})

    async def turn(self) -> None:
        """Every job once, as often as anything is to be done."""
        for _ in range(2):
            await end_due(self.on.world)
            await record_new_tracks(self.on.world)
            await drive(self.on.world)
            await watch(self.on.world)
            await finish(self.on.world)
            await stop_strays(self.on.world)

    async def pass_time(self, seconds: float, *, step: float = 4) -> None:
        """The jobs run while time passes."""
        passed = 0.0
        while passed < seconds:
            self.on.clock.advance(step)
            passed += step
            await self.turn()

    async def recording(self) -> asyncpg.Record:
        """The newest."""
        row = await self.on.database.fetchrow("SELECT * FROM nchat_call_recordings WHERE call_id = $1 ORDER BY created_at DESC", self.id)
        assert row is not None
        return row

    async def status(self) -> str:
        return str((await self.recording())["status"])

    async def parts(self) -> list[asyncpg.Record]:
        recording = await self.recording()
        rows = await self.on.database.fetch(
            "SELECT * FROM nchat_call_recording_parts WHERE recording_id = $1 ORDER BY index", recording["id"]
        )
        return list(rows)

    async def told(self) -> list[str]:
        """The kinds of events about the recording."""
        return [kind for kind in await self.on.kinds(self.id) if kind.startswith("recording_")]

    async def _hear(self, event: str, payload: dict[str, object]) -> None:
        self.events_sent += 1
        open_room = self.on.rooms.rooms.get(self.room_name)
        room = {"name": self.room_name, "sid": open_room.sid if open_room else "RM_gone"}
        told = inbox.WebhookEvent(f"EV_rec_{self.events_sent}", event, self.on.clock.now(), {"room": room, **payload})
        await inbox.store(self.on.world, told)
        await inbox.process_pending(self.on.world)


async def begin_call(on: Setup) -> RecordedCall:
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB, CAROL], channel_id=GENERAL))
    room = TellingRoom(on, started.room_name)
    await room.join(ALICE, "microphone")
    for user_id in (BOB, CAROL):
        await accept_call(on.world, session(user_id), started.call_id)
        await room.join(user_id, "microphone")
    return RecordedCall(on, started.call_id, room, started.room_name)
