"""Three people nobody else knows, and what they do in a call: through GraphQL, and in the room as LiveKit sees it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
from livekit.protocol.models import CONNECTION_TIMEOUT

from devstack.livekit_simulator import SimulatedParticipant, Simulator
from tests.support.killable_service import KillableService
from tests.support.waiting import eventually
from tests.support.whole_service import Caller, bearer
from tests.trials.pausable_livekit import PausableClock

PEOPLE = "INSERT INTO nchat_users (id, username, display_name) SELECT id, 'u' || id, 'U' FROM unnest($1::uuid[]) id"
CHANNEL = "INSERT INTO nchat_channels (name) VALUES ('here') RETURNING id"
MEMBERS = "INSERT INTO nchat_channel_members (channel_id, user_id) SELECT $1, unnest($2::uuid[])"


@dataclass(slots=True)
class TrialCall:
    """`here` are the connections into the room, by person."""

    service: KillableService
    simulator: Simulator
    pausable: PausableClock
    database: "asyncpg.Connection"
    alice: UUID = field(default_factory=uuid4)
    bob: UUID = field(default_factory=uuid4)
    carol: UUID = field(default_factory=uuid4)
    channel: UUID = field(default_factory=uuid4)
    request: UUID = field(default_factory=uuid4)
    call: UUID | None = None
    room: str = ""
    tokens: dict[UUID, str] = field(default_factory=dict)
    here: dict[UUID, SimulatedParticipant] = field(default_factory=dict)

    async def gather(self) -> "TrialCall":
        self.channel = await self.database.fetchval(CHANNEL)
        await self.welcome([self.alice, self.bob, self.carol])
        return self

    async def welcome(self, people: Sequence[UUID]) -> None:
        """They come into the channel."""
        await self.database.execute(PEOPLE, people)
        await self.database.execute(MEMBERS, self.channel, people)

    async def act(self, who: UUID, name: str, /, **fields: object) -> Any:
        """An action on the call; its ticket, if it has one, is kept."""
        ticket = " token" if name in ("acceptCall", "joinCall", "refreshCallToken") else ""
        done = await self.caller(who).act(name, f"callId{ticket}", callId=str(self.call), **fields)
        if ticket:
            self.tokens[who] = done["token"]
        return done

    def caller(self, who: UUID) -> Caller:
        return Caller(self.service.http, bearer(who))

    async def ring(self, *targets: UUID) -> UUID:
        """Alice calls Bob, or these people of the channel. Repeated, it is the same request."""
        fields = {"type": "video", "targetUserIds": [str(one) for one in targets or (self.bob,)], "clientRequestId": str(self.request)}
        fields |= {"channelId": str(self.channel)} if targets else {}
        started = await self.caller(self.alice).act("initiateCall", "callId roomName token", **fields)
        self.call, self.room, self.tokens[self.alice] = UUID(started["callId"]), started["roomName"], started["token"]
        return self.call

    async def talk(self, *others: UUID) -> None:
        """Alice, Bob and Carol, or Alice and these, are connected, with their microphones on."""
        others = others or (self.bob, self.carol)
        await self.ring(*(others if len(others) > 1 else ()))
        for one in others:
            await self.act(one, "acceptCall")
        for one in (self.alice, *others):
            self.enter(one, "microphone")
        await eventually(self.settled)

    def enter(self, who: UUID, *sources: str) -> None:
        """A client with the last ticket connects and publishes."""
        self.here[who] = self.simulator.join(self.tokens[who])
        for source in sources:
            self.here[who].publish(source)

    def lose(self, who: UUID) -> None:
        """LiveKit gives up on a connection."""
        self.here[who].room.remove(self.here.pop(who), CONNECTION_TIMEOUT)

    async def settled(self) -> bool:
        """Everybody in the room is connected, and every webhook so far is worked out."""
        row = await self.database.fetchrow(
            "SELECT c.status = 'connected' AND count(*) FILTER (WHERE p.status = 'connected') = $2 FROM nchat_calls c"
            " JOIN nchat_call_participants p ON p.call_id = c.id WHERE c.id = $1 GROUP BY c.id",
            self.call, len(self.here),
        )  # fmt: skip
        return bool(row and row[0]) and not await self.unheard()

    async def stands(self, who: UUID, status: str) -> bool:
        """Whether the participant is in this state, and every webhook so far is worked out."""
        state = "SELECT status FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2"
        return await self.database.fetchval(state, self.call, who) == status and not await self.unheard()

    async def start_is_heard(self) -> bool:
        """Whether the webhook of the room's beginning is worked out."""
        heard = "event = 'room_started' AND payload #>> '{room,name}' = $1 AND processed_at IS NOT NULL"
        return bool(await self.database.fetchval(f"SELECT EXISTS (SELECT FROM nchat_webhook_events WHERE {heard})", self.room))

    async def has_room(self) -> bool:
        return self.room in self.simulator.rooms.live

    @asynccontextmanager
    async def row_lock(self) -> AsyncIterator[None]:
        """Until the block ends nobody else writes the call; who wants to gets its turn in the order of asking."""
        async with self.database.transaction():
            await self.database.execute("SELECT FROM nchat_calls WHERE id = $1 FOR UPDATE", self.call)
            yield

    async def someone_waits_for_a_lock(self) -> bool:
        """Whether a session stands before a lock of ours. (pg_stat_activity would say the same thing all transaction long.)"""
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        return bool(await self.database.fetchval(waiting))

    async def unheard(self) -> int:
        """Webhooks of the room that are stored and not worked out; one that fails by itself never will be."""
        mine = "processed_at IS NULL AND payload #>> '{room,name}' = $1 AND (error IS NULL OR error LIKE 'Media%')"
        return int(await self.database.fetchval(f"SELECT count(*) FROM nchat_webhook_events WHERE {mine}", self.room))

    async def participant(self, who: UUID) -> str:
        """The participant's id."""
        return str(
            await self.database.fetchval("SELECT id FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2", self.call, who)
        )

    async def long_ago(self, table: str, *columns: str, hours: int = 1) -> None:
        """As if this had been written hours earlier."""
        key = "call_id" if table == "nchat_call_participants" else "id"
        earlier = ", ".join(f"{column} = {column} - interval '{hours} hours'" for column in columns)
        await self.database.execute(f"UPDATE {table} SET {earlier} WHERE {key} = $1", self.call)

    async def calls(self) -> "Iterable[asyncpg.Record]":
        """Every call that Alice started."""
        return list(await self.database.fetch("SELECT * FROM nchat_calls WHERE initiator_id = $1", self.alice))


def cut_off() -> "suppress":
    """What a client meets whose service dies under its request."""
    return suppress(httpx2.TransportError)
