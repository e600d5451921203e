"""Leaving a call."""

from typing import Literal
from uuid import UUID

from domain.calls import events
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.results import ParticipantResult
from domain.calls.leaving import Left, after_leaving, leave
from domain.calls.life_cycle import move_participant
from domain.calls.presence import settle
from domain.calls.rows import Participant
from domain.errors import NotAllowed
from domain.world import Transaction, World
from permissions.session import Session

LeaveReason = Literal["user_left", "network_error"]


async def leave_call(world: World, session: Session, call_id: UUID, reason: LeaveReason = "user_left") -> ParticipantResult:
    """The caller leaves, or no longer waits in the lobby; leaving twice is leaving once. NotAllowed for one who never was in the call."""
    async with world.transaction("leave_call.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = access.me
        if me is None or not (me.seated or me.waiting or me.status == "left"):
            raise NotAllowed("You are not in this call.")
        if me.waiting:
            return await _give_up(tx, access, me, reason)
        left = Left() if me.status == "left" else await leave(tx, access.call, me, reason, actor_id=me.user_id, now=access.now)
        if not left.call_ended:
            await settle(tx, access.call, now=access.now)
    await after_leaving(world, access.call, me, left)
    return ParticipantResult(call_id, me.id, left.call_ended)


async def _give_up(tx: Transaction, access: CallAccess, me: Participant, reason: LeaveReason) -> ParticipantResult:
    """Who only waited leaves nothing behind, and LiveKit knows nothing of them."""
    await move_participant(tx, me.id, "left", now=access.now, leave_reason=reason)
    await events.append(tx, access.call.id, "call_participant_left", me.user_id, {"reason": reason}, me.id)
    return ParticipantResult(access.call.id, me.id)
