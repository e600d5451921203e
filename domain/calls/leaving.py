"""Someone leaves, of their own will or not: the last one out ends the call, a direct call ends with either, and the host hands it on.

One person is in one call at a time: whoever enters one leaves the other, as on a phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.calls import events
from domain.calls.ending import close_room_or_leave_it, end_for_all
from domain.calls.grants import grant_for
from domain.calls.life_cycle import move_participant
from domain.calls.presence import settle
from domain.calls.rows import Call, Participant, Roster, roster
from domain.ports import MediaError
from domain.world import Transaction, World
from schema.tables.call_participants import call_participants

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """What someone's leaving brought about. `new_host` is who became host, as the row was before."""

    call_ended: bool = False
    new_host: Participant | None = None


async def leave(tx: Transaction, call: Call, who: Participant, reason: str, *, actor_id: UUID | None, now: datetime) -> Left:
    """seated → left with its event, and what follows for the call (lock held). `actor_id` is None when nobody chose it.

    Used alike for a person who leaves, a webhook that says so and a timeout. The caller runs `after_leaving` after the commit.
    """
    if await move_participant(tx, who.id, "left", now=now, leave_reason=reason) is None:
        return Left()
    await events.append(tx, call.id, "call_participant_left", actor_id, {"reason": reason}, who.id)
    present = await roster(tx, call.id)
    if not present.seated or (present.is_direct(call) and len(present.participants) == 2):
        return Left(call_ended=await end_for_all(tx, call, "completed", actor_id=actor_id, now=now))
    return Left(new_host=await pass_host_on(tx, call, who, present))


async def pass_host_on(tx: Transaction, call: Call, former: Participant, present: Roster) -> Participant | None:
    """When a host is gone: the oldest co-host, else who has been connected longest, becomes host, so that there is exactly one."""
    if former.role != "host":
        return None
    new_host = successor_of(present)
    if new_host is None:
        return None
    for one, role in ((former, "participant"), (new_host, "host")):
        await tx.connection.execute(sa.update(call_participants).where(call_participants.c.id == one.id).values(role=role))
        await events.append(tx, call.id, "role_changed", None, {"from": one.role, "to": role}, one.id)
    return new_host


def successor_of(present: Roster) -> Participant | None:
    """Who hosts next. The roster is ordered by age; a viewer hosts only when nobody else is left."""

    def rank(one: Participant) -> tuple[bool, bool, bool]:
        return one.role != "co_host", one.role == "viewer", one.status != "connected"

    return min(present.seated, key=rank, default=None)


async def after_leaving(world: World, call: Call, who: Participant, left: Left) -> None:
    """What LiveKit has to know, after the commit; the reconciler repairs what it does not hear."""
    if left.call_ended:
        await close_room_or_leave_it(world, call.room_name)
        return
    try:
        await world.rooms.remove_participant(call.room_name, who.identity)
        await grant_host_rights(world, call, left.new_host)
    except MediaError as error:
        log.warning("leave_not_told", room=call.room_name, error=str(error))


async def grant_host_rights(world: World, call: Call, new_host: Participant | None) -> None:
    """A viewer who became host may publish now; everybody else could before. Raises MediaError."""
    if new_host is not None and new_host.role == "viewer":
        await world.rooms.set_grant(call.room_name, new_host.identity, grant_for(call, replace(new_host, role="host")))


@dataclass(frozen=True, slots=True)
class Departure:
    """A call that was left for another one, and what that brought about there."""

    call: Call
    who: Participant
    left: Left


async def leave_elsewhere(tx: Transaction, others: Sequence[Call], user_id: UUID, now: datetime) -> list[Departure]:
    """The person's seats in these other calls, all locked by `lock_seats`, are given up.

    The caller runs `after_departures` after the commit.
    """
    departures: list[Departure] = []
    for call in others:
        who = (await roster(tx, call.id)).of_user(user_id)
        if call.ended or who is None or not who.seated:
            continue
        left = await leave(tx, call, who, "user_left", actor_id=user_id, now=now)
        if not left.call_ended:
            await settle(tx, call, now=now)
        departures.append(Departure(call, who, left))
    return departures


async def after_departures(world: World, departures: Sequence[Departure]) -> None:
    """What LiveKit has to know; the reconciler repairs what it does not hear."""
    for departure in departures:
        await after_leaving(world, departure.call, departure.who, departure.left)
