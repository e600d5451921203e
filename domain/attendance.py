"""Who was in a call, and for how long: counted from its events, which tell of every arrival and every loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import is_visible
from domain.errors import NotFound
from domain.world import Transaction, World
from permissions.session import Session

# Each event of a participant holds until the next of theirs, so that none of their time is counted twice, however often they came
# back; the last one until the call's end. Who is in still has been so until now.
ATTENDANCE: Final = sa.text("""
    WITH ending AS (
        SELECT min(created_at) AS at FROM nchat_call_events WHERE call_id = :call AND kind = 'call_end'
    ), stays AS (
        SELECT CAST(payload ->> 'participantId' AS uuid) AS participant_id,
               kind = 'call_participant_joined' AS is_in,
               created_at AS since,
               lead(created_at) OVER (PARTITION BY payload ->> 'participantId' ORDER BY seq) AS next
        FROM nchat_call_events
        WHERE call_id = :call
          AND kind IN ('call_participant_joined', 'call_participant_disconnected', 'call_participant_left', 'kicked')
    )
    SELECT who.user_id,
           min(since) AS first_joined_at,
           CASE WHEN bool_or(COALESCE(next, ending.at) IS NULL) THEN NULL ELSE max(COALESCE(next, ending.at)) END AS last_left_at,
           CAST(floor(sum(extract(epoch FROM greatest(COALESCE(next, ending.at, now()) - since, interval '0')))) AS integer) AS seconds
    FROM stays JOIN nchat_call_participants AS who ON who.id = stays.participant_id CROSS JOIN ending
    WHERE is_in
    GROUP BY who.user_id
    ORDER BY first_joined_at, who.user_id
""")


@dataclass(frozen=True, slots=True)
class Attendance:
    """`seconds` in the room, times of a lost connection left out; `last_left_at` is None for one who is in the room now."""

    user_id: UUID
    first_joined_at: datetime
    last_left_at: datetime | None
    seconds: int


async def call_attendance(world: World, session: Session, call_id: UUID) -> list[Attendance]:
    """Everyone who was ever in the room, first come first, for whoever sees the call; NotFound for others."""
    async with world.transaction("call_attendance.read") as tx:
        if not await is_visible(tx, world, session, call_id):
            raise NotFound
        return list(await attendance(tx, call_id))


async def attendance(tx: Transaction, call_id: UUID) -> Sequence[Attendance]:
    """The same without asking who may know; as of the transaction's time while the call runs."""
    rows = await tx.connection.execute(ATTENDANCE, {"call": call_id})
    return [Attendance(**row._mapping) for row in rows]
