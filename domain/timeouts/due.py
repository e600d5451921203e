"""Finding what is due, and deciding each case again under its call's lock."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.ending import end_call
from domain.calls.rows import Call, Roster, lock_call, roster
from domain.life_cycle import EndReason
from domain.ports import MediaError
from domain.repairs import DeleteRoom, Repair, carry_out
from domain.world import Transaction, World

log = logging.getLogger(__name__)
# As many as one tick takes on; the rest is due at the next one as well.
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One living call under lock. `now` is the moment of the decision."""

    tx: Transaction
    call: Call
    people: Roster
    now: datetime


# Decides one case: None when it is not due after all, otherwise what LiveKit has to be asked for.
Decide = Callable[[Case], Awaitable[Sequence[Repair] | None]]
Overdue = sa.Select[UUID]


async def carry_through(world: World, name: str, overdue: Overdue, decide: Decide) -> int:
    """Finds the calls that `overdue` selects, decides each in a transaction of its own, and returns how many were due.

    `overdue` must be exact: a case that it finds and `decide` rejects each time would crowd out others.
    """
    async with world.transaction(f"timeout.{name}.due") as tx:
        ids = (await tx.connection.execute(overdue.limit(BATCH))).scalars().all()
    return sum([await _one(world, name, call_id, decide) for call_id in ids])


async def _one(world: World, name: str, call_id: UUID, decide: Decide) -> bool:
    async with world.transaction(f"timeout.{name}") as tx:
        call = await lock_call(tx, call_id)
        if call is None or call.ended:
            return False
        repairs = await decide(Case(tx, call, await roster(tx, call_id), world.clock.now()))
    if repairs is None:
        return False
    try:
        await carry_out(world, repairs)
    except MediaError as error:
        log.warning("the media server was not told of a timeout", extra={"timeout": name, "call_id": str(call_id), "error": str(error)})
    return True


async def end(found: Case, reason: EndReason) -> Sequence[Repair] | None:
    """Ends the call of a case; None when it had ended."""
    ended = await end_call(found.tx, found.call, reason, actor_id=None, now=found.now)
    return [DeleteRoom(found.call.room_name)] if ended else None
