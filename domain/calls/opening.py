"""The second half of a call's start: its room, then its rings."""

from uuid import UUID

from domain.calls.ending import close_room_or_leave_it, end_for_all
from domain.calls.life_cycle import CallStep, move_call
from domain.calls.ringing import ring
from domain.calls.rows import Call, lock_call, roster
from domain.errors import MediaUnavailable
from domain.ports import MediaError, Room
from domain.world import Transaction, World


async def open_call(world: World, call: Call) -> None:
    """An `initiated` call with a host gets its room and rings its invited (or waits, when it has none).

    Safe to repeat and to run twice at once: creating a room is get-or-create, and only one of two rings. A media server that fails ends
    the call `failed` and raises MediaUnavailable, unless the other one's room was made: its call goes on. Also how the reconciler
    finishes what a crash left half done.
    """
    try:
        room = await world.rooms.create_room(call.room_name, max_participants=call.max_participants)
    except MediaError as error:
        if await _fail(world, call.id):
            raise MediaUnavailable from error
        return
    async with world.transaction("initiate_call.ring") as tx:
        current = await lock_call(tx, call.id)
        begun = current is not None and current.status == "initiated" and await _begin(tx, world, current, room)
    if current is None or current.ended or (current.status == "initiated" and not begun):
        await close_room_or_leave_it(world, call.room_name)


async def _fail(world: World, call_id: UUID) -> bool:
    """initiated → ended(`failed`); False when a request beside this one has got the call further."""
    async with world.transaction("initiate_call.fail") as tx:
        current = await lock_call(tx, call_id)
        if current is not None and current.status == "initiated":
            await end_for_all(tx, current, "failed", actor_id=None, now=world.clock.now())
        return current is None or current.status == "initiated" or current.end_reason == "failed"


async def _begin(tx: Transaction, world: World, call: Call, room: Room) -> bool:
    """Rings, or waits when there is nobody to ring; False when nobody of those may be rung: the call has ended `no_answer`."""
    now = world.clock.now()
    targets = [one.id for one in (await roster(tx, call.id)).participants if one.status == "invited"]
    rung = await ring(tx, call.id, targets, actor_id=call.initiator_id, now=now)
    if targets and not rung:
        await end_for_all(tx, call, "no_answer", actor_id=None, now=now)
        return False
    step = CallStep("initiated", "ringing" if targets else "connecting")
    await move_call(tx, call.id, step, actor_id=call.initiator_id, now=now, room_sid=room.sid)
    return True
