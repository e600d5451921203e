"""Finding what is due, deciding each case again under its call's lock, and telling LiveKit what was decided."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.calls.ending import end_for_all
from domain.calls.life_cycle import EndReason
from domain.calls.repairs import DeleteRoom, Repair, carry_out
from domain.calls.rows import Call, Roster, lock_call, roster
from domain.ports import MediaError
from domain.world import Transaction, World

log = structlog.get_logger(__name__)
# As many as one tick takes on; the rest is due at the next one as well.
BATCH: Final = 200
AT_ONCE: Final = 8


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


async def carry_through(world: World, name: str, overdue: Overdue, decide: Decide) -> list[Sequence[Repair]]:
    """Finds the calls that `overdue` selects, decides each in a transaction of its own; what LiveKit is to be told, for each that was due.

    `overdue` must be exact: a case that it finds and `decide` rejects each time would crowd out others.
    """
    async with world.transaction(f"timeout.{name}.due") as tx:
        ids = (await tx.connection.execute(overdue.limit(BATCH))).scalars().all()
    decided = [await _one(world, name, call_id, decide) for call_id in ids]
    return [repairs for repairs in decided if repairs is not None]


async def _one(world: World, name: str, call_id: UUID, decide: Decide) -> Sequence[Repair] | None:
    async with world.transaction(f"timeout.{name}") as tx:
        call = await lock_call(tx, call_id)
        if call is None or call.ended:
            return None
        return await decide(Case(tx, call, await roster(tx, call_id), world.clock.now()))


async def tell(world: World, decided: Sequence[Sequence[Repair]]) -> None:
    """Tells LiveKit, a few calls at a time. When it does not answer, the rest is left to the reconciler: no timeout waits for LiveKit."""
    places, failures = asyncio.Semaphore(AT_ONCE), list[MediaError]()

    async def one(repairs: Sequence[Repair]) -> None:
        async with places:
            if failures:
                return
            try:
                await carry_out(world, repairs)
            except MediaError as error:
                failures.append(error)

    await asyncio.gather(*(one(repairs) for repairs in decided if repairs))
    if failures:
        log.warning("timeouts_not_told", error=str(failures[0]))


async def end(found: Case, reason: EndReason) -> Sequence[Repair] | None:
    """Ends the call of a case; None when it had ended."""
    ended = await end_for_all(found.tx, found.call, reason, actor_id=None, now=found.now)
    return [DeleteRoom(found.call.room_name)] if ended else None
