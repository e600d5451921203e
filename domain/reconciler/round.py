"""One round: all living calls beside LiveKit's rooms, and what differs repaired."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from domain.calls.opening import open_call
from domain.calls.rows import Call
from domain.errors import MediaUnavailable
from domain.ports import MediaError, Room
from domain.reconciler.compare_call import compare_call
from domain.reconciler.expected_rooms import calls_with_rooms, half_started, rooms_of_ended
from domain.world import World

log = structlog.get_logger(__name__)
ROOMS_AT_ONCE: Final = 8
NAMES_PER_QUESTION: Final = 200
# Tokens live for minutes: longer after its end, nobody can keep a call's room alive who is not in it.
RECENTLY: Final = timedelta(minutes=15)
# At start: whatever ended while no service was running.
SINCE_YESTERDAY: Final = timedelta(days=1)


async def reconcile(world: World, *, ended_within: timedelta = RECENTLY) -> bool:
    """One comparison of all living calls, and of those that ended a short while ago, with LiveKit.

    Finishes calls that a crash left half started, gives back rooms that are gone, moves participants to where they are seen
    (an absence counts at the second of two looks 10 s apart), reads mutes, puts out whoever has no seat, and deletes rooms of
    ended calls. Safe to run twice and on several workers. False when LiveKit did not answer: nothing is taken for absent then.
    """
    try:
        await _finish_starts(world)
        await _compare(world, await calls_with_rooms(world))
        await _delete_rooms(world, await rooms_of_ended(world, ended_within))
    except MediaError as error:
        log.warning("calls_not_compared", error=str(error))
        return False
    return True


async def _finish_starts(world: World) -> None:
    """A call that was written and never got its room. Asking for no rooms first tells whether LiveKit answers at all."""
    started = await half_started(world)
    if not started:
        return
    await world.rooms.list_rooms([call.room_name for call in started])
    for call in started:
        try:
            await open_call(world, call)
        except MediaUnavailable:
            log.warning("half_started_call_failed", call_id=str(call.id))


async def _compare(world: World, living: Sequence[Call]) -> None:
    looked_at = world.clock.now()
    rooms = await _rooms(world, [call.room_name for call in living])
    await _side_by_side([compare_call(world, call, rooms.get(call.room_name), looked_at) for call in living])


async def _delete_rooms(world: World, names: Sequence[str]) -> None:
    left_over = await _rooms(world, names)
    await _side_by_side([world.rooms.delete_room(name) for name in left_over])


async def _rooms(world: World, names: Sequence[str]) -> dict[str, Room]:
    """The rooms of these names that LiveKit has."""
    found: dict[str, Room] = {}
    for start in range(0, len(names), NAMES_PER_QUESTION):
        for room in await world.rooms.list_rooms(names[start : start + NAMES_PER_QUESTION]):
            found[room.name] = room
    return found


async def _side_by_side(work: Sequence[Awaitable[None]]) -> None:
    """A few at a time; one that LiveKit does not answer is left to the next round and holds up no other."""
    places = asyncio.Semaphore(ROOMS_AT_ONCE)

    async def one(item: Awaitable[None]) -> None:
        async with places:
            try:
                await item
            except MediaError as error:
                log.warning("room_not_repaired", error=str(error))

    await asyncio.gather(*(one(item) for item in work))
