"""A stream, what a test makes of its room, its recorder and the time, and what the database says of it."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

from domain.ports import IngressKind
from domain.reconciler import reconcile
from domain.recordings.ending.deadlines import end_due
from domain.recordings.ending.finishing import finish
from domain.recordings.names import file_key
from domain.recordings.recorder.strays import stop_strays
from domain.recordings.recorder.watching import watch
from domain.streams.actions.create import create_stream
from domain.streams.actions.start import start_broadcast, start_stream
from domain.streams.planning import StreamPlan
from domain.timeouts import decide_due, tell_decided
from domain.timeouts.streams import FOLLOWED, NEVER_STARTED
from tests.recordings.driven import drive
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, GENERAL, Setup, session
from tests.support.telling_rooms import TellingRoom


@dataclass(slots=True)
class StagedStream(RecordedCall):
    """`id` is the stream's; alice hosts it."""

    async def begin(self) -> str | None:
        """The host starts it; the token."""
        started = await start_stream(self.on.world, session(ALICE), self.id)
        return None if started.ticket is None else started.ticket.token

    async def go_live(self, segments: int = 3) -> None:
        """The host starts it and sends, and the recorder has uploaded so much."""
        await self.begin()
        await self.room.join(ALICE, "camera", "microphone")
        await self.turn()
        await self.active(segments)

    async def turn(self) -> None:
        """The jobs that work on streams, as often as anything is to be done."""
        for _ in range(2):
            await end_due(self.on.world)
            await drive(self.on.world)
            await watch(self.on.world)
            await finish(self.on.world)
        await stop_strays(self.on.world)
        for timeout in (FOLLOWED, NEVER_STARTED):
            await tell_decided(self.on.world, await decide_due(self.on.world, timeout))

    def upload(self, egress_id: str, segments: int, *, ended: bool = False) -> None:
        """As the worker does, which writes a file where one is wanted."""
        RecordedCall.upload(self, egress_id, segments, ended=ended)
        wanted = self.on.recorder.wanted[egress_id]
        if not wanted.file:
            self.on.store.objects.pop(file_key(wanted.path_prefix), None)

    async def compare(self) -> None:
        """The reconciler looks."""
        await reconcile(self.on.world)
        await self.turn()

    async def row(self) -> asyncpg.Record:
        row = await self.on.database.fetchrow("SELECT * FROM nchat_streams WHERE id = $1", self.id)
        assert row is not None
        return row

    async def senders(self) -> dict[str, str]:
        """LiveKit's ids of the connections that send, by identity."""
        found: dict[str, str] = orjson.loads((await self.row())["senders"])
        return found

    async def is_now(self) -> str:
        """The stream's status."""
        return str((await self.row())["status"])

    async def failure(self) -> str | None:
        found: str | None = orjson.loads((await self.row())["metadata"]).get("failure")
        return found

    async def recording(self) -> asyncpg.Record:
        row = await self.on.database.fetchrow("SELECT * FROM nchat_call_recordings WHERE stream_id = $1", self.id)
        assert row is not None
        return row


async def broadcast(
    call: RecordedCall, plan: StreamPlan | None = None, *, by: UUID = ALICE, ingress: IngressKind | None = None
) -> StagedStream:
    """A host shows the call, and the recorder has uploaded something."""
    started = await start_broadcast(call.on.world, session(by), call.id, plan or StreamPlan(), ingress)
    assert (started.ticket, started.room_name) == (None, call.room_name)
    shown = StagedStream(call.on, started.stream_id, call.room, call.room_name)
    await shown.turn()
    await shown.active()
    return shown


async def plan_stream(on: Setup, *, record: bool = False, channel: UUID = GENERAL) -> StagedStream:
    """alice plans a stream in the channel; its room does not exist yet."""
    planned = await create_stream(on.world, session(ALICE), StreamPlan(channel, "Friday", record=record))
    name = await on.database.fetchval("SELECT room_name FROM nchat_streams WHERE id = $1", planned.stream_id)
    return StagedStream(on, planned.stream_id, TellingRoom(on, name), name)
