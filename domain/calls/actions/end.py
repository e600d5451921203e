"""Ending a call for everyone."""

from typing import Literal
from uuid import UUID

from domain.calls.access import access_call, known_user
from domain.calls.actions.results import CallResult
from domain.calls.ending import close_room_or_leave_it, end_for_all
from domain.world import World
from permissions.session import ADMIN, Session

HostEndReason = Literal["host_ended", "completed"]


async def end_call(world: World, session: Session, call_id: UUID, reason: HostEndReason = "host_ended") -> CallResult:
    """Ends the call and its room. For its host and co-hosts who are in it, and for the role `admin`; NotAllowed for others."""
    async with world.transaction("end_call.write") as tx:
        actor_id = await known_user(tx, session) if session.role == ADMIN else session.user_id
        access = await access_call(tx, world, session, call_id)
        if session.role != ADMIN:
            access.hosting()
        await end_for_all(tx, access.call, reason, actor_id=actor_id, now=access.now)
    await close_room_or_leave_it(world, access.call.room_name)
    return CallResult(call_id)
