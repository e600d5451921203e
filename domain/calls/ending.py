"""The end of a call: everyone is out, rings fall silent; once that is written its room goes, with a mark when LiveKit confirmed it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.calls import events
from domain.calls.life_cycle import CallStep, EndReason, move_call, move_participant
from domain.calls.ringing import end_ring
from domain.calls.rows import Call, Roster, roster
from domain.ports import MediaError
from domain.world import Transaction, World
from schema.tables.calls import calls

log = structlog.get_logger(__name__)


async def end_for_all(tx: Transaction, call: Call, reason: EndReason, *, actor_id: UUID | None, now: datetime) -> bool:
    """Ends the call whose lock the caller holds; False when it had ended already.

    What has not begun can't be completed: such a call is `cancelled`.
    Rings become left(`missed`) with a `missed` push when nobody answered, otherwise left(`cancelled`) with a `cancel` push; who was in
    the call becomes left(`call_ended`). Writes `call_state_changed` and `call_end`, which speaks for all who were in it.
    The caller closes the room after the commit.
    """
    if call.status == "initiated" and reason == "completed":
        reason = "cancelled"
    if call.ended or not await move_call(tx, call.id, CallStep(call.status, "ended", reason), actor_id=actor_id, now=now):
        return False
    await _empty(tx, await roster(tx, call.id), reason, now)
    await events.append(tx, call.id, "call_end", actor_id, {"reason": reason})
    return True


async def _empty(tx: Transaction, present: Roster, reason: EndReason, now: datetime) -> None:
    for one in present.ringing:
        await end_ring(tx, one, "missed" if reason == "no_answer" else "cancelled", now=now)
    for one in present.participants:
        if one.seated:
            await move_participant(tx, one.id, "left", now=now, leave_reason="call_ended")
        elif one.status == "invited":
            await move_participant(tx, one.id, "left", now=now, leave_reason="cancelled")


async def end_unanswered(tx: Transaction, call: Call, *, actor_id: UUID | None, now: datetime) -> bool:
    """Ends a call that rings nobody any more: `busy` when all were, `no_answer` when a ring ran out, otherwise `declined`.

    False when someone still rings or the call has got past ringing.
    """
    present = await roster(tx, call.id)
    if call.status != "ringing" or present.ringing:
        return False
    said = {one.leave_reason for one in present.participants if one.status == "left"}
    reason: EndReason = "busy" if said == {"busy"} else "no_answer" if "missed" in said else "declined"
    return await end_for_all(tx, call, reason, actor_id=actor_id, now=now)


async def close_room(world: World, room_name: str) -> None:
    """Deletes the room; its call, when it has ended, is marked then. Raises MediaError, and the reconciler finds it without the mark."""
    await world.rooms.delete_room(room_name)
    async with world.transaction("room.closed") as tx:
        await note_closed(tx, [room_name], world.clock.now())


async def close_room_or_leave_it(world: World, room_name: str) -> None:
    """The same where nobody can wait: a media server that does not answer leaves it to the reconciler."""
    try:
        await close_room(world, room_name)
    except MediaError as error:
        log.warning("room_not_deleted", room=room_name, error=str(error))


async def note_closed(tx: Transaction, room_names: Sequence[str], now: datetime) -> None:
    """LiveKit confirmed that these rooms are gone: the calls among theirs that have ended need no more looking after."""
    named = calls.c.room_name == sa.any_(sa.literal(list(room_names), pg.ARRAY(sa.Text)))
    over = (calls.c.status == "ended", calls.c.room_closed_at.is_(None))
    await tx.connection.execute(sa.update(calls).where(named, *over).values(room_closed_at=now))
