"""Ending a call for everyone."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from domain.calls.access import enter, known_user
from domain.calls.ending import close_room
from domain.calls.ending import end_call as end
from domain.world import World
from permissions.session import ADMIN, Session

HostEndReason = Literal["host_ended", "completed"]


@dataclass(frozen=True, slots=True)
class EndCall:
    call_id: UUID


async def end_call(world: World, session: Session, call_id: UUID, reason: HostEndReason = "host_ended") -> EndCall:
    """Ends the call and its room. For its host and co-hosts who are in it, and for the role `admin`; NotAllowed for others."""
    async with world.transaction("end_call.write") as tx:
        actor_id = await known_user(tx, session) if session.role == ADMIN else session.user_id
        door = await enter(tx, world, session, call_id)
        if session.role != ADMIN:
            door.hosting()
        await end(tx, door.call, reason, actor_id=actor_id, now=door.now)
    await close_room(world, door.call.room_name)
    return EndCall(call_id)
