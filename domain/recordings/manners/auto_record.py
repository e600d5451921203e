"""Calls that are recorded by themselves, once: at the first track, at the second arrival, or when a host is connected."""

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls import events
from domain.calls.rows import Call, Roster
from domain.recordings.rows import lock_active
from domain.recordings.starting import RECORDABLE, Manner, begin
from domain.world import Transaction
from schema.tables.call_looks import call_looks
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls
from schema.tables.webhook_events import PARTICIPANT_SID

# LiveKit told of a track of somebody's present connection, or the reconciler saw that somebody publishes.
_TOLD: Final = sa.text(f"""
    EXISTS (
        SELECT FROM nchat_call_participants AS one JOIN nchat_webhook_events AS told ON told.{PARTICIPANT_SID} = one.participant_sid
        WHERE one.call_id = nchat_calls.id AND told.event = 'track_published'
    )
""")
_SEEN: Final = sa.exists().where(call_looks.c.call_id == calls.c.id, call_looks.c.publishers > 0)
_HOST: Final = sa.exists().where(
    call_participants.c.call_id == calls.c.id, call_participants.c.role == "host", call_participants.c.status == "connected"
)
# The call was `connected` when its second person was.
ARRIVED: Final = sa.or_(
    sa.and_(calls.c.auto_record == "first", sa.or_(_TOLD, _SEEN)),
    sa.and_(calls.c.auto_record == "second", calls.c.connected_at.is_not(None)),
    sa.and_(calls.c.auto_record == "host", _HOST),
)


def due() -> sa.Select[UUID]:
    """Calls whose recording is to begin by itself now, the longest waiting first."""
    waiting = (calls.c.auto_record != "off", calls.c.auto_recorded_at.is_(None), ~calls.c.e2ee)
    return sa.select(calls.c.id).where(calls.c.status.in_(RECORDABLE), *waiting, ARRIVED).order_by(calls.c.status_since)


async def begin_by_itself(tx: Transaction, call: Call, people: Roster, *, now: datetime) -> bool:
    """Begins the recording of a locked call in the name of its host; False when the service did so before.

    A call that somebody records already has what was wanted: nothing begins then, nor later.
    """
    once = sa.update(calls).where(calls.c.id == call.id, calls.c.auto_recorded_at.is_(None))
    if (await tx.connection.execute(once.values(auto_recorded_at=now).returning(calls.c.id))).first() is None:
        return False
    events.changed(tx, call.id)
    if await lock_active(tx, call.id) is None:
        host = call.initiator_id if people.host is None else people.host.user_id
        manner = Manner(type="audio_only") if call.type == "audio" else Manner()
        await begin(tx, call, host, manner, now=now, actor_id=None)
    return True
