"""What the deployment's own backend is told: written with the change itself, sent by a job."""

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.world import Transaction
from schema.tables.event_outbox import event_outbox

# Who delivers them hears of new ones here.
TOPIC: Final = f"table:{event_outbox.name}"
# From the row as this transaction leaves it. No address and no key: whoever may see the recording asks GraphQL for its links.
WRITE: Final = sa.text("""
    INSERT INTO nchat_event_outbox (kind, recording_id, payload, created_at, next_attempt_at)
    SELECT 'recording_finished', recording.id, jsonb_build_object(
        'recordingId', recording.id, 'status', recording.status, 'type', recording.type, 'duration', recording.duration,
        'startedAt', recording.started_at, 'endedAt', recording.ended_at, 'startedBy', recording.started_by,
        'callId', call.id, 'channelId', coalesce(call.channel_id, stream.channel_id),
        'link', jsonb_build_object('field', 'nchat_call_recordings_by_pk', 'id', recording.id))
        || CASE WHEN stream.id IS NULL THEN '{}' ELSE jsonb_build_object('streamId', stream.id) END, :now, :now
    FROM nchat_call_recordings AS recording LEFT JOIN nchat_calls AS call ON call.id = recording.call_id
        LEFT JOIN nchat_streams AS stream ON stream.id = recording.stream_id
    WHERE recording.id = :id AND recording.delete_asked_at IS NULL
    ON CONFLICT (kind, recording_id) DO NOTHING
""").bindparams(sa.bindparam("now", type_=sa.TIMESTAMP(timezone=True)))


async def recording_finished(tx: Transaction, recording_id: UUID, *, now: datetime) -> None:
    """One event for a recording that became ready or failed, unless it is to be removed; a second one is never written."""
    await tx.connection.execute(WRITE, {"id": recording_id, "now": now})
    tx.hint(TOPIC)
