"""One round: all living calls and streams beside LiveKit's rooms, and what differs repaired."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from domain.calls.opening import open_call
from domain.calls.rows import Call, Roster
from domain.errors import MediaUnavailable
from domain.ports import LiveRoom, MediaError
from domain.reconciler.audiences import put_out_viewers, shown_rooms
from domain.reconciler.closed_rooms import close_rooms
from domain.reconciler.compare_call import compare_call
from domain.reconciler.expected_rooms import half_started, with_people
from domain.reconciler.looks import LivingCall, Look, living_calls, note_looks
from domain.reconciler.streams import close_stream_rooms, compare_streams, running_streams
from domain.short_waits import HeldByAnother
from domain.side_by_side import Failures
from domain.world import World

log = structlog.get_logger(__name__)
ALIKE: Final = 0.0


async def reconcile(world: World) -> None:
    """One comparison of all living calls and streams, and of those that ended and whose room is not known to be gone, with LiveKit.

    Finishes calls that a crash left half started, gives back rooms that are gone, moves participants to where they are seen
    (an absence counts at the second of two looks 10 s apart), reads mutes, puts out whoever has no seat, and deletes rooms of
    ended calls. Safe to run twice and on several workers.

    Tells for how many seconds the two sides have been found apart, 0 when they are alike. Raises MediaError when LiveKit does not
    answer: nothing is compared then, and nothing taken for absent. What fails by itself holds up nothing else; the round ends with an
    ExceptionGroup of all such failures.
    """
    failures = Failures(_not_reconciled)
    started, living, streams = await half_started(world), await living_calls(world), await running_streams(world)
    shown = await shown_rooms(world)
    looked_at = world.clock.now()
    rooms = {room.name: room for room in await world.rooms.all_rooms()}
    await failures.side_by_side({f"half started {call.id}": _finish_start(world, call) for call in started})
    looks = await _look_closer(world, failures, living, rooms, looked_at)
    await compare_streams(world, failures, streams, rooms)
    await put_out_viewers(world, failures, rooms.keys() & shown)
    others = rooms.keys() - {call.room_name for call in living} - {stream.room_name for stream in streams}
    await failures.side_by_side(
        {
            "closed rooms": close_rooms(world, failures, others, looked_at),
            "closed rooms of streams": close_stream_rooms(world, failures, others, looked_at),
        }
    )
    apart_since = await note_looks(world, looks)
    world.figure("state_divergence", ALIKE if apart_since is None else max((world.clock.now() - apart_since).total_seconds(), ALIKE))
    failures.tell()


async def _finish_start(world: World, call: Call) -> None:
    """A call that was written and never got its room. LiveKit has answered before: it is not its silence that fails it."""
    try:
        await open_call(world, call)
    except MediaUnavailable:
        log.warning("half_started_call_failed", call_id=str(call.id))


async def _look_closer(
    world: World, failures: Failures, living: Sequence[LivingCall], rooms: Mapping[str, LiveRoom], at: datetime
) -> list[Look]:
    due = {call.id: call for call in living if call.deserves_a_look(rooms.get(call.room_name), at)}

    async def are_alike(call: Call, known: Roster) -> bool:
        """One that LiveKit does not answer, or that somebody holds, is left to the next round and holds up nobody."""
        try:
            return await compare_call(world, call, None if due[call.id].missed else known, rooms.get(call.room_name), at)
        except MediaError as error:
            log.warning("room_not_repaired", error=str(error))
        except HeldByAnother:
            log.info("call_not_compared", call_id=str(call.id))
        return False

    found = await with_people(world, due.keys())
    alike = await failures.side_by_side({f"call {call.id}": are_alike(call, known) for call, known in found})
    return [Look(due[call.id], rooms.get(call.room_name), at, bool(same)) for (call, _), same in zip(found, alike, strict=True)]


def _not_reconciled(what: str, error: str) -> None:
    log.warning("not_reconciled", what=what, error=error)
