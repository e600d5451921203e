"""Individual tracks: a part for each track that is published while the recording runs, begun when it is seen and over with it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.calls.rows import Roster, roster
from domain.ports import MediaError, RoomParticipant, TrackSource
from domain.recordings.each import each
from domain.recordings.held import hold
from domain.recordings.life_cycle import PARTS_TOPIC
from domain.recordings.parts import begin_tracks
from domain.recordings.rows import RecordingPart, parts_of
from domain.recordings.settling import MOST_PARTS, WITHIN
from domain.short_waits import short_waits
from domain.world import Transaction, World

log = structlog.get_logger(__name__)
LOOK: Final = 200
# Those that record now: not paused, nor about to be.
TAKE_RUNNING: Final = sa.text("""
    WITH due AS (
        SELECT recording.id, call.room_name
        FROM nchat_call_recordings AS recording JOIN nchat_calls AS call ON call.id = recording.call_id
        WHERE recording.type = 'individual_tracks' AND recording.status IN ('starting', 'recording', 'paused')
            AND recording.pause_asked_at IS NULL AND recording.consent_asked_at IS NULL AND recording.next_work_at <= :now
            AND call.status IN ('connected', 'reconnecting')
        ORDER BY recording.next_work_at LIMIT :look FOR UPDATE OF recording SKIP LOCKED
    )
    UPDATE nchat_call_recordings AS recording SET next_work_at = :next FROM due WHERE recording.id = due.id
    RETURNING recording.id, due.room_name
""")
SEEN: Final = sa.text("""
    UPDATE nchat_call_recordings SET next_work_at = :now
    WHERE call_id = :call_id AND type = 'individual_tracks' AND status IN ('starting', 'recording', 'paused')
""")
# A track whose webhook was lost is seen so late.
EVERY: Final = timedelta(seconds=4)
NewTrack = tuple[UUID, TrackSource, str]


async def record_new_tracks(world: World) -> int:
    """Begins a part for each published track that has none; returns how many. Safe on several workers: decided under the call's lock."""
    now = world.clock.now()
    async with world.transaction("recording.tracks") as tx:
        running = (await tx.connection.execute(TAKE_RUNNING, {"now": now, "next": now + EVERY, "look": LOOK})).all()
    rooms = {row.id: row.room_name for row in running}
    return sum(await each("tracks", rooms, lambda recording_id: _record(world, recording_id, rooms[recording_id])))


async def track_published(tx: Transaction, call_id: UUID, now: datetime) -> None:
    """A call has a new track: who records its tracks looks at once."""
    if (await tx.connection.execute(SEEN, {"call_id": call_id, "now": now})).rowcount:
        tx.hint(PARTS_TOPIC)


async def _record(world: World, recording_id: UUID, room: str) -> int:
    try:
        people = await world.rooms.list_participants(room)
    except MediaError as error:
        log.warning("tracks_not_seen", recording_id=str(recording_id), error=str(error))
        return 0
    async with world.transaction("recording.new_tracks") as tx, short_waits(tx):
        held = await hold(tx, recording_id)
        if held is None or held.source.call is None or not held.recording.active or held.recording.pause_asked_at is not None:
            return 0
        now = world.clock.now()
        wanted = _without_part(people, await roster(tx, held.source.call.id), await parts_of(tx, recording_id), now)
        await begin_tracks(tx, held.recording, wanted, now=now)
    return len(wanted)


def _without_part(people: Sequence[RoomParticipant], known: Roster, parts: Sequence[RecordingPart], now: datetime) -> list[NewTrack]:
    by_identity = {one.identity: one.user_id for one in known.participants if one.seated}
    tried = {sid: [part for part in parts if part.track_sid == sid] for sid in {part.track_sid for part in parts}}
    left_alone = {sid for sid, of_track in tried.items() if _is_left_alone(of_track, now)}
    # While LiveKit is being asked for one, what it refused is not asked again: nothing would ever be known of the whole.
    if any(part.status == "starting" for part in parts):
        left_alone |= {part.track_sid for part in parts if part.egress_id is None}
    return [
        (by_identity[person.identity], track.source, track.sid)
        for person in people
        for track in person.tracks
        if track.source != "unknown" and person.identity in by_identity and track.sid not in left_alone
    ]


def _is_left_alone(parts: Sequence[RecordingPart], now: datetime) -> bool:
    """A track that is being recorded, or that was lost again and again lately."""
    return parts[-1].written or sum(part.was_lost and part.created_at > now - WITHIN for part in parts) >= MOST_PARTS
