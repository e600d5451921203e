"""Leaving a call: the last one out ends it, a direct call ends with either, and the host hands the call on."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from domain import events
from domain.calls.access import enter
from domain.calls.ending import close_room, end_call
from domain.calls.rows import Call, Participant, Roster, roster
from domain.calls.tickets import grant_for
from domain.errors import NotAllowed
from domain.life_cycle import move_participant
from domain.ports import MediaError
from domain.presence import settle
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.call_participants import call_participants

log = logging.getLogger(__name__)
LeaveReason = Literal["user_left", "network_error"]


@dataclass(frozen=True, slots=True)
class Left:
    """What someone's leaving brought about. `heir` is who became host, as the row was before."""

    call_ended: bool = False
    heir: Participant | None = None


@dataclass(frozen=True, slots=True)
class LeaveCall:
    call_id: UUID
    participant_id: UUID
    call_ended: bool


async def leave_call(world: World, session: Session, call_id: UUID, reason: LeaveReason = "user_left") -> LeaveCall:
    """The caller leaves; leaving twice is leaving once. NotAllowed for one who never was in the call."""
    async with world.transaction("leave_call.write") as tx:
        door = await enter(tx, world, session, call_id)
        me = door.me
        if me is None or not (me.seated or me.status == "left"):
            raise NotAllowed("You are not in this call.")
        left = Left() if me.status == "left" else await leave(tx, door.call, me, reason, actor_id=me.user_id, now=door.now)
        if not left.call_ended:
            await settle(tx, door.call, now=door.now)
    await after_leaving(world, door.call, me, left)
    return LeaveCall(call_id, me.id, left.call_ended)


async def leave(tx: Transaction, call: Call, who: Participant, reason: str, *, actor_id: UUID | None, now: datetime) -> Left:
    """seated → left with its event, and what follows for the call (lock held). `actor_id` is None when nobody chose it.

    Used alike for a person who leaves, a webhook that says so and a timeout. The caller runs `after_leaving` after the commit.
    """
    if await move_participant(tx, who.id, "left", now=now, leave_reason=reason) is None:
        return Left()
    await events.append(tx, call.id, "call_participant_left", actor_id, {"reason": reason}, who.id)
    present = await roster(tx, call.id)
    if not present.seated or (present.is_direct(call) and len(present.participants) == 2):
        return Left(call_ended=await end_call(tx, call, "completed", actor_id=actor_id, now=now))
    return Left(heir=await succeed(tx, call, who, present))


async def succeed(tx: Transaction, call: Call, former: Participant, present: Roster) -> Participant | None:
    """When a host is gone: the oldest co-host, else who has been connected longest, becomes host, so that there is exactly one."""
    if former.role != "host":
        return None
    heir = heir_of(present)
    if heir is None:
        return None
    for one, role in ((former, "participant"), (heir, "host")):
        await tx.connection.execute(sa.update(call_participants).where(call_participants.c.id == one.id).values(role=role))
        await events.append(tx, call.id, "role_changed", None, {"from": one.role, "to": role}, one.id)
    return heir


def heir_of(present: Roster) -> Participant | None:
    """Who hosts next. The roster is ordered by age; a viewer hosts only when nobody else is left."""

    def rank(one: Participant) -> tuple[bool, bool, bool]:
        return one.role != "co_host", one.role == "viewer", one.status != "connected"

    return min(present.seated, key=rank, default=None)


async def after_leaving(world: World, call: Call, who: Participant, left: Left) -> None:
    """What LiveKit has to know, after the commit; the reconciler repairs what it does not hear."""
    if left.call_ended:
        await close_room(world, call.room_name)
        return
    try:
        await world.rooms.remove_participant(call.room_name, who.identity)
        await tell_heir(world, call, left.heir)
    except MediaError as error:
        log.warning("the media server was not told who left", extra={"room": call.room_name, "error": str(error)})


async def tell_heir(world: World, call: Call, heir: Participant | None) -> None:
    """A viewer who became host may publish now; everybody else could before. Raises MediaError."""
    if heir is not None and heir.role == "viewer":
        await world.rooms.set_grant(call.room_name, heir.identity, grant_for(call, replace(heir, role="host")))
