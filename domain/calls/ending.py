"""The end of a call: everyone is out, rings fall silent, and the room goes once the end is written."""

from datetime import datetime
from uuid import UUID

from domain.calls import events
from domain.calls.life_cycle import CallStep, EndReason, move_call, move_participant
from domain.calls.ringing import end_ring
from domain.calls.rows import Call, Roster, roster
from domain.world import Transaction


async def end_for_all(tx: Transaction, call: Call, reason: EndReason, *, actor_id: UUID | None, now: datetime) -> bool:
    """Ends the call whose lock the caller holds; False when it had ended already.

    Rings become left(`missed`) with a `missed` push when nobody answered, otherwise left(`cancelled`) with a `cancel` push; who was in
    the call becomes left(`call_ended`). Writes `call_state_changed` and `call_end`, which speaks for all who were in it.
    The caller closes the room after the commit: `closing.py`.
    """
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
