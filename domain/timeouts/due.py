"""One kind of timeout: what is due is found, and each case decided again under its lock, after all that was heard of it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.calls.ending import end_for_all
from domain.calls.life_cycle import EndReason
from domain.calls.repairs import DeleteRoom, Repair
from domain.calls.rows import Call, Roster
from domain.ports import CallLimits
from domain.short_waits import HeldByAnother
from domain.webhooks.hearing import CallInHand, Owed, Poisoned, RoomInHand, Take, hear, poison, take_calls
from domain.webhooks.processing import hear_one_by_one, side_by_side
from domain.world import Transaction, World

log = structlog.get_logger(__name__)
# One look's worth.
LOOK: Final = 500


@dataclass(frozen=True, slots=True)
class Case:
    """One living call under lock that is due. `now` is the moment of the decision."""

    tx: Transaction
    call: Call
    people: Roster
    now: datetime
    limits: CallLimits


# Selects the ids of the calls, or streams, that are due at a moment, the longest due first. It must be exact: a case that it selects and
# `decide` rejects each time would crowd out others.
Overdue = Callable[[datetime, CallLimits], sa.Select[UUID]]
C = TypeVar("C")
# Decides one case: None when there was nothing to do after all, otherwise what LiveKit has to be asked for.
Decide = Callable[[C], Awaitable[Sequence[Repair] | None]]


def anywhere(_world: World) -> bool:
    """The default: in every deployment."""
    return True


async def take_living(tx: Transaction, call_ids: Sequence[UUID]) -> Sequence[CallInHand]:
    """Those of the calls that nobody holds, and that have not ended."""
    return [one for one in await take_calls(tx, call_ids) if not one.call.ended]


def call_case(tx: Transaction, held: CallInHand, now: datetime, limits: CallLimits) -> Case:
    """A call in hand as a case."""
    return Case(tx, held.call, held.people, now, limits)


@dataclass(frozen=True)
class Timeout(Generic[C]):
    """One kind; `every` is how many seconds may pass between two looks at it, `matters` whether any can be due in a deployment.

    It is about calls, unless `take` locks something else, of which `case` makes what is decided.
    """

    name: str
    overdue: Overdue
    decide: Decide[C]
    every: float = 1.0
    matters: Callable[[World], bool] = anywhere
    take: Take[Any] = take_living
    case: Callable[[Transaction, Any, datetime, CallLimits], Any] = call_case


@dataclass(slots=True)
class Decided:
    """How many calls and streams were due, and what LiveKit has to be told: for them, and for what was heard before deciding."""

    count: int = 0
    repairs: list[Sequence[Repair]] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)

    def add(self, other: "Decided") -> None:
        self.count += other.count
        self.repairs += other.repairs
        self.owed += other.owed


async def decide_due(world: World, timeout: Timeout[Any]) -> Decided:
    """Decides everything of this kind that is due, but what somebody else holds the lock of: it is due the next time as well."""
    decided = Decided()
    while True:
        async with world.transaction(f"timeout.{timeout.name}.due") as tx:
            due = timeout.overdue(world.clock.now(), world.limits).limit(LOOK)
            ids = (await tx.connection.execute(due)).scalars().all()
        more = Decided()
        for some in await side_by_side(ids, partial(_decide, world, timeout)):
            more.add(some)
        decided.add(more)
        if not more.count:
            return decided


async def end(found: Case, reason: EndReason) -> Sequence[Repair] | None:
    """Ends the call of a case; None when it had ended."""
    ended = await end_for_all(found.tx, found.call, reason, actor_id=None, now=found.now)
    return [DeleteRoom(found.call.room_name)] if ended else None


async def _decide(world: World, timeout: Timeout[Any], ids: Sequence[UUID]) -> Decided:
    """All or none of a few; when one of them fails or is held, each by itself."""
    decided = Decided()
    try:
        await _decide_together(world, timeout, ids, decided)
    except (Poisoned, HeldByAnother):
        for id in ids:
            await _decide_alone(world, timeout, id, decided)
    return decided


async def _decide_alone(world: World, timeout: Timeout[Any], id: UUID, decided: Decided) -> None:
    """What was heard of it comes first, in case an event failed and not the decision. One that can't be decided holds up no other.

    One of which somebody holds a row is due the next time as well.
    """
    heard = await hear_one_by_one(world, timeout.take, id)
    decided.owed += heard.owed
    if heard.left:
        return
    try:
        await _decide_together(world, timeout, [id], decided)
    except Poisoned as poisoned:
        log.error("timeout_failed", timeout=timeout.name, id=str(id), exc_info=poisoned.__cause__)
    except HeldByAnother:
        log.info("timeout_put_off", timeout=timeout.name, id=str(id))


async def _decide_together(world: World, timeout: Timeout[Any], ids: Sequence[UUID], decided: Decided) -> None:
    """Adds to `decided` what is committed. Nothing is decided while more may wait than one transaction hears."""
    while await _hear_and_decide(world, timeout, ids, decided):
        pass


async def _hear_and_decide(world: World, timeout: Timeout[Any], ids: Sequence[UUID], decided: Decided) -> bool:
    """One transaction: it hears what there is and decides, or hears as much as it may. True when there may be more to hear."""
    async with world.transaction(f"timeout.{timeout.name}") as tx, poison(tx):
        held = await timeout.take(tx, ids)
        heard = await hear(world, tx, held)
        mine = Decided(owed=heard.owed)
        if not heard.full:
            await _decide_each(world, tx, timeout, held, mine)
        await tx.write_down()
    decided.add(mine)
    return heard.full


async def _decide_each(world: World, tx: Transaction, timeout: Timeout[Any], held: Sequence[RoomInHand], decided: Decided) -> None:
    now = world.clock.now()
    still_due = await _still_due(tx, timeout.overdue(now, world.limits), [one.id for one in held])
    for one in held:
        if one.id in still_due:
            await one.look_again(tx)
            repairs = await timeout.decide(timeout.case(tx, one, now, world.limits))
            if repairs is not None:
                decided.count += 1
                decided.repairs.append(repairs)


async def _still_due(tx: Transaction, overdue: sa.Select[UUID], ids: Collection[UUID]) -> set[UUID]:
    """The same question again, of those that nobody else can change any more."""
    if not ids:
        return set()
    mine = overdue.selected_columns[0] == sa.any_(sa.literal(list(ids), pg.ARRAY(pg.UUID())))
    return set((await tx.connection.execute(overdue.where(mine))).scalars())
