"""Who has to agree to being recorded before they may be in a call's room: with `ask` everybody, while it is recorded or about to be."""

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.errors import ConsentNeeded
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.call_recordings import call_recordings
from schema.tables.calls import calls
from schema.tables.streams import streams

_RECORDED: Final = sa.exists().where(
    call_recordings.c.call_id == calls.c.id, call_recordings.c.status.in_(("starting", "recording", "paused"))
)
# A broadcast is a recording, and more.
_BROADCAST: Final = sa.exists().where(streams.c.call_id == calls.c.id, streams.c.status.in_(("starting", "live", "ending")))
_TO_BE_RECORDED: Final = sa.and_(calls.c.auto_record != "off", calls.c.auto_recorded_at.is_(None))
# A condition on a call and one of its participants: this person may not be in the room now.
CONSENT_MISSING: Final = sa.and_(
    calls.c.recording_consent == "ask", call_participants.c.consented_at.is_(None), sa.or_(_TO_BE_RECORDED, _RECORDED, _BROADCAST)
)
_MISSING: Final = (
    sa.select(sa.literal(1))
    .select_from(call_participants.join(calls, calls.c.id == call_participants.c.call_id))
    .where(call_participants.c.id == sa.bindparam("participant"), CONSENT_MISSING)
)


async def require_consent(tx: Transaction, participant_id: UUID) -> None:
    """ConsentNeeded for a participant of a locked call who has to agree first."""
    if (await tx.connection.execute(_MISSING, {"participant": participant_id})).first() is not None:
        raise ConsentNeeded


async def note_consent(tx: Transaction, participant_id: UUID, *, now: datetime) -> bool:
    """The person agrees, for the whole of the call; False for one who had agreed already. Whom to tell is the caller's business."""
    mine = sa.update(call_participants).where(call_participants.c.id == participant_id, call_participants.c.consented_at.is_(None))
    return (await tx.connection.execute(mine.values(consented_at=now).returning(call_participants.c.id))).first() is not None
