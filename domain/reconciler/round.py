"""One round: all living calls beside LiveKit's rooms, and what differs repaired."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from domain.calls.opening import open_call
from domain.calls.rows import Call
from domain.errors import MediaUnavailable
from domain.ports import LiveRoom, MediaError
from domain.reconciler.closed_rooms import close_rooms
from domain.reconciler.compare_call import compare_call
from domain.reconciler.expected_rooms import calls_with_rooms, half_started
from domain.reconciler.side_by_side import side_by_side
from domain.world import World

log = structlog.get_logger(__name__)


async def reconcile(world: World) -> bool:
    """One comparison of all living calls, and of those that ended and whose room is not known to be gone, with LiveKit.

    Finishes calls that a crash left half started, gives back rooms that are gone, moves participants to where they are seen
    (an absence counts at the second of two looks 10 s apart), reads mutes, puts out whoever has no seat, and deletes rooms of
    ended calls. Safe to run twice and on several workers. False when LiveKit did not answer: nothing is taken for absent then.
    """
    try:
        started, living, looked_at = await half_started(world), await calls_with_rooms(world), world.clock.now()
        rooms = {room.name: room for room in await world.rooms.all_rooms()}
        await _finish_starts(world, started)
        await _compare(world, living, rooms, looked_at)
        await close_rooms(world, rooms.keys() - {call.room_name for call in living}, looked_at)
    except MediaError as error:
        log.warning("calls_not_compared", error=str(error))
        return False
    return True


async def _finish_starts(world: World, started: Sequence[Call]) -> None:
    """Calls that were written and never got their room. LiveKit has answered before: it is not its silence that fails them."""
    for call in started:
        try:
            await open_call(world, call)
        except MediaUnavailable:
            log.warning("half_started_call_failed", call_id=str(call.id))


async def _compare(world: World, living: Sequence[Call], rooms: Mapping[str, LiveRoom], looked_at: datetime) -> None:
    await side_by_side([compare_call(world, call, rooms.get(call.room_name), looked_at) for call in living])
