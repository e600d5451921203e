"""The waiting events of locked calls and streams, worked out inside the transaction that holds the locks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa

from domain.calls.repairs import Repair
from domain.calls.rows import Call, Roster, lock_call, lock_free_calls, roster, rosters
from domain.errors import ActionError
from domain.ports import MediaError
from domain.short_waits import short_waits
from domain.webhooks import pending
from domain.webhooks.call_webhook import CallWebhook
from domain.webhooks.departures import Departures, departures
from domain.webhooks.effects import apply
from domain.webhooks.webhook_event import ReceivedEvent
from domain.world import Transaction, World

# What an event may fail with.
FAILURES: Final = (MediaError, ActionError, sa.exc.SQLAlchemyError, LookupError, TypeError, ValueError)
# Of all the rooms of a transaction; what is more waits for the next, and nothing is decided on before.
EVENTS: Final = 500


class Poisoned(Exception):
    """Something among the events could not be worked out, and nothing of the transaction is kept. The cause is the failure."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What LiveKit has to be asked for before an event counts as worked out."""

    event_id: str
    repairs: Sequence[Repair]


@dataclass(slots=True)
class Heard:
    """How many events were worked out, what is owed for some of them once that is committed, and whether rooms were held by others.

    `left` are calls and streams of which somebody held a row for too long: they are for the next time.
    `full`: as many as one transaction takes, so that there may be more of the same rooms.
    """

    count: int = 0
    owed: list[Owed] = field(default_factory=list)
    held: bool = False
    full: bool = False
    left: set[UUID] = field(default_factory=set)

    def add(self, other: "Heard") -> None:
        self.count += other.count
        self.owed += other.owed
        self.left |= other.left


class RoomInHand(Protocol):
    """Whose room it is, locked: a call or a stream, as it stood before something in the transaction changed it (`stale`)."""

    stale: bool

    @property
    def id(self) -> UUID: ...

    @property
    def room_name(self) -> str: ...

    async def look_again(self, tx: Transaction) -> None:
        """As it stands now."""
        ...

    async def hear(self, tx: Transaction, event: ReceivedEvent, now: datetime, told: Departures) -> Sequence[Repair]:
        """Applies one event; what LiveKit has to be asked for after the commit."""
        ...


# Takes those of these calls, or streams, that nobody holds; they stay locked until the commit.
Room = TypeVar("Room", bound=RoomInHand)
Take = Callable[[Transaction, Sequence[UUID]], Awaitable[Sequence[Room]]]


@dataclass(slots=True)
class CallInHand:
    """A locked call and its people."""

    call: Call
    people: Roster
    stale: bool = False

    @property
    def id(self) -> UUID:
        return self.call.id

    @property
    def room_name(self) -> str:
        return self.call.room_name

    async def hear(self, tx: Transaction, event: ReceivedEvent, now: datetime, told: Departures) -> Sequence[Repair]:
        """By what each kind of event means for a call."""
        return await apply(CallWebhook(tx, event, self.call, self.people, now, told))

    async def look_again(self, tx: Transaction) -> None:
        """As they stand now."""
        if self.stale:
            self.call = await lock_call(tx, self.call.id) or self.call
            self.people = await roster(tx, self.call.id)
            self.stale = False


async def take_calls(tx: Transaction, call_ids: Sequence[UUID]) -> list[CallInHand]:
    """Those of the calls that nobody holds, with their people."""
    return await in_hand(tx, await lock_free_calls(tx, call_ids))


async def in_hand(tx: Transaction, calls: Sequence[Call]) -> list[CallInHand]:
    """Locked calls with their people."""
    people = await rosters(tx, [call.id for call in calls])
    return [CallInHand(call, people[call.id]) for call in calls]


async def hear(world: World, tx: Transaction, held: Sequence[RoomInHand]) -> Heard:
    """Works out what is due in these rooms. Raises one of FAILURES, and nothing of the transaction may be kept then."""
    rooms = [one.room_name for one in held]
    return await work_out(world, tx, held, await pending.take(tx, rooms, world.clock.now(), most=EVENTS))


async def work_out(world: World, tx: Transaction, held: Sequence[RoomInHand], events: Sequence[ReceivedEvent]) -> Heard:
    """Applies these events, taken from those rooms, in their order, and marks them.

    Whatever changes a call, its people or a stream says so by a hint: only then are they read again for the next event.
    """
    if not events:
        return Heard()
    now, by_room = world.clock.now(), {one.room_name: one for one in held}
    told = await departures(tx, events)
    owed: list[Owed] = []
    for event in events:
        mine = by_room[event.text("room", "name")]
        await mine.look_again(tx)
        hints = len(tx.hints)
        repairs = await mine.hear(tx, event, now, told)
        mine.stale = len(tx.hints) > hints
        owed += [Owed(event.id, repairs)] if repairs else []
    await pending.mark_attempted(tx, [one.event_id for one in owed], now)
    await pending.mark_done(tx, {event.id for event in events} - {one.event_id for one in owed}, now)
    return Heard(len(events), owed, full=len(events) == EVENTS)


@asynccontextmanager
async def poison(tx: Transaction) -> AsyncIterator[None]:
    """What an event fails with leaves as Poisoned, a row that somebody holds for too long as HeldByAnother.

    A lost connection is nobody's fault.
    """
    try:
        async with short_waits(tx):
            yield
    except FAILURES as failure:
        if isinstance(failure, sa.exc.DBAPIError) and failure.connection_invalidated:
            raise
        raise Poisoned from failure
