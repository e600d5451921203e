"""The waiting events of locked calls, worked out inside the transaction that holds the locks."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.repairs import Repair
from domain.calls.rows import Call, Roster, lock_call, roster, rosters
from domain.errors import ActionError
from domain.ports import MediaError
from domain.short_waits import short_waits
from domain.webhooks import pending
from domain.webhooks.call_webhook import CallWebhook
from domain.webhooks.departures import departures
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
    """How many events were worked out, what is owed for some of them once that is committed, and whether calls were held by others.

    `left` are calls of which somebody held a row for too long: they are for the next time.
    `full`: as many as one transaction takes, so that there may be more of the same calls.
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


@dataclass(slots=True)
class CallInHand:
    """A locked call and its people, as they stood before something in the transaction changed them (`stale`)."""

    call: Call
    people: Roster
    stale: bool = False

    async def look_again(self, tx: Transaction) -> None:
        """As they stand now."""
        if self.stale:
            self.call = await lock_call(tx, self.call.id) or self.call
            self.people = await roster(tx, self.call.id)
            self.stale = False


async def in_hand(tx: Transaction, calls: Sequence[Call]) -> list[CallInHand]:
    """Locked calls with their people."""
    people = await rosters(tx, [call.id for call in calls])
    return [CallInHand(call, people[call.id]) for call in calls]


async def hear(world: World, tx: Transaction, held: Sequence[CallInHand]) -> Heard:
    """Works out what is due in the rooms of locked calls. Raises one of FAILURES, and nothing of the transaction may be kept then."""
    rooms = [one.call.room_name for one in held]
    return await work_out(world, tx, held, await pending.take(tx, rooms, world.clock.now(), most=EVENTS))


async def work_out(world: World, tx: Transaction, held: Sequence[CallInHand], events: Sequence[ReceivedEvent]) -> Heard:
    """Applies these events, taken from the rooms of the locked calls, in their order, and marks them.

    Whatever changes a call or its people says so by a hint: only then are they read again for the next event.
    """
    if not events:
        return Heard()
    now, by_room = world.clock.now(), {one.call.room_name: one for one in held}
    told = await departures(tx, events)
    owed: list[Owed] = []
    for event in events:
        mine = by_room[event.text("room", "name")]
        await mine.look_again(tx)
        hints = len(tx.hints)
        repairs = await apply(CallWebhook(tx, event, mine.call, mine.people, now, told))
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
