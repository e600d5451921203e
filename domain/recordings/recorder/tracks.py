"""Individual tracks: a part for each track that is published while the recording runs, begun when it is seen and over with it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.calls.rows import Roster, roster
from domain.ports import MediaError, RoomParticipant, TrackSource
from domain.recordings.held import hold
from domain.recordings.parts import begin_tracks
from domain.recordings.rows import RecordingPart, parts_of
from domain.world import World

log = structlog.get_logger(__name__)
LOOK: Final = 200
# Those that record now: not paused, nor about to be.
RUNNING: Final = sa.text("""
    SELECT recording.id, call.room_name FROM nchat_call_recordings AS recording JOIN nchat_calls AS call ON call.id = recording.call_id
    WHERE recording.type = 'individual_tracks' AND recording.status IN ('starting', 'recording', 'paused')
        AND recording.pause_asked_at IS NULL AND recording.consent_asked_at IS NULL AND call.status IN ('connected', 'reconnecting')
    LIMIT :look
""")
# A track that is lost again and again is left alone.
MOST_PARTS: Final = 5
NewTrack = tuple[UUID, TrackSource, str]


async def record_new_tracks(world: World) -> int:
    """Begins a part for each published track that has none; returns how many. Safe on several workers: decided under the call's lock."""
    async with world.transaction("recording.tracks") as tx:
        running = (await tx.connection.execute(RUNNING, {"look": LOOK})).all()
    return sum([await _record(world, row.id, row.room_name) for row in running])


async def _record(world: World, recording_id: UUID, room: str) -> int:
    try:
        people = await world.rooms.list_participants(room)
    except MediaError as error:
        log.warning("tracks_not_seen", recording_id=str(recording_id), error=str(error))
        return 0
    async with world.transaction("recording.new_tracks") as tx:
        held = await hold(tx, recording_id)
        if held is None or not held.recording.active or held.recording.pause_asked_at is not None:
            return 0
        wanted = _without_part(people, await roster(tx, held.call.id), await parts_of(tx, recording_id))
        await begin_tracks(tx, held.recording, wanted, now=world.clock.now())
    return len(wanted)


def _without_part(people: Sequence[RoomParticipant], known: Roster, parts: Sequence[RecordingPart]) -> list[NewTrack]:
    by_identity = {one.identity: one.user_id for one in known.participants if one.seated}
    busy = {part.track_sid for part in parts if part.written}
    tried = [part.track_sid for part in parts]
    return [
        (by_identity[person.identity], track.source, track.sid)
        for person in people
        for track in person.tracks
        if track.source != "unknown" and person.identity in by_identity and track.sid not in busy and tried.count(track.sid) < MOST_PARTS
    ]
