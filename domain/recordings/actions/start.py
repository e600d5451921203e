"""startRecording: a host presses the button."""

from uuid import UUID

from domain.calls.access import access_call
from domain.errors import MediaUnavailable
from domain.ports import MediaError
from domain.recordings.actions.results import StartedResult
from domain.recordings.starting import Manner, begin
from domain.world import World
from permissions.session import Session

TIER = "x-hasura-tier"


async def start_recording(world: World, session: Session, call_id: UUID, manner: Manner) -> StartedResult:
    """Begins a recording, for host and co-hosts, and answers at once: what becomes of it is an event.

    Refuses with NotFound, NotAllowed, E2eeCall, CallNotStarted (nobody is connected), AlreadyRecording, and MediaUnavailable where
    LiveKit can't be reached.
    """
    async with world.transaction("start_recording.look") as tx:
        access = await access_call(tx, world, session, call_id)
        access.hosting()
        room = access.call.room_name
    await _require_media(world, room)
    async with world.transaction("start_recording.write") as tx:
        access = await access_call(tx, world, session, call_id)
        access.hosting()
        tier = session.variables.get(TIER)
        recording = await begin(
            tx, access.call, access.user_id, manner, now=access.now, actor_id=access.user_id, tier=tier if isinstance(tier, str) else None
        )
    return StartedResult(recording.id, call_id, access.now)


async def _require_media(world: World, room: str) -> None:
    """Before anything is written: a LiveKit that is out of reach is told at once, and leaves nothing behind."""
    if not world.records:
        raise MediaUnavailable("Recording is switched off.")
    try:
        await world.rooms.list_rooms([room])
    except MediaError as error:
        raise MediaUnavailable from error
