"""One round: all living calls beside LiveKit's rooms, and what differs repaired."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from domain.calls.opening import open_call
from domain.calls.rows import Call, Roster
from domain.errors import MediaUnavailable
from domain.ports import LiveRoom, MediaError
from domain.reconciler.closed_rooms import close_rooms
from domain.reconciler.compare_call import compare_call
from domain.reconciler.expected_rooms import half_started, with_people
from domain.reconciler.looks import LivingCall, Look, living_calls, note_looks
from domain.reconciler.side_by_side import side_by_side
from domain.world import World

log = structlog.get_logger(__name__)
ALIKE: Final = 0.0


async def reconcile(world: World) -> None:
    """One comparison of all living calls, and of those that ended and whose room is not known to be gone, with LiveKit.

    Finishes calls that a crash left half started, gives back rooms that are gone, moves participants to where they are seen
    (an absence counts at the second of two looks 10 s apart), reads mutes, puts out whoever has no seat, and deletes rooms of
    ended calls. Safe to run twice and on several workers.

    Tells for how many seconds the two sides have been found apart, 0 when they are alike. Raises MediaError when LiveKit does not
    answer: nothing is compared then, and nothing taken for absent.
    """
    started, living, looked_at = await half_started(world), await living_calls(world), world.clock.now()
    rooms = {room.name: room for room in await world.rooms.all_rooms()}
    await _finish_starts(world, started)
    looks = await _look_closer(world, living, rooms, looked_at)
    await close_rooms(world, rooms.keys() - {call.room_name for call in living}, looked_at)
    apart_since = await note_looks(world, looks)
    world.figure("state_divergence", ALIKE if apart_since is None else max((world.clock.now() - apart_since).total_seconds(), ALIKE))


async def _finish_starts(world: World, started: Sequence[Call]) -> None:
    """Calls that were written and never got their room. LiveKit has answered before: it is not its silence that fails them."""
    for call in started:
        try:
            await open_call(world, call)
        except MediaUnavailable:
            log.warning("half_started_call_failed", call_id=str(call.id))


async def _look_closer(world: World, living: Sequence[LivingCall], rooms: Mapping[str, LiveRoom], at: datetime) -> list[Look]:
    due = {call.id: call for call in living if call.deserves_a_look(rooms.get(call.room_name), at)}

    async def look(call: Call, known: Roster) -> Look:
        """One that LiveKit does not answer is left to the next round and holds up nobody."""
        glance, room = due[call.id], rooms.get(call.room_name)
        try:
            alike = await compare_call(world, call, None if glance.missed else known, room, at)
        except MediaError as error:
            log.warning("room_not_repaired", error=str(error))
            alike = False
        return Look(glance, room, at, alike)

    return await side_by_side([look(call, known) for call, known in await with_people(world, due.keys())])
