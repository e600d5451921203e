"""How long a recording is kept: a user's policy beats a channel's, that the starter's tier, that the one for all."""

from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from domain.recordings.rows import Recording
from domain.world import Transaction

LAST_DAY: Final = datetime.max.replace(tzinfo=UTC)
DAYS: Final = sa.text("""
    SELECT policy.retention_days FROM nchat_retention_policies AS policy LEFT JOIN nchat_calls AS call ON call.id = :call_id
        LEFT JOIN nchat_streams AS stream ON stream.id = :stream_id
    WHERE (policy.apply_to = 'user' AND policy.target_id = :started_by)
        OR (policy.apply_to = 'channel' AND policy.target_id = coalesce(call.channel_id, stream.channel_id))
        OR (policy.apply_to = 'all' AND policy.name IN (:tier, :otherwise))
    ORDER BY array_position(ARRAY['user', 'channel', 'all'], policy.apply_to), (policy.name = :tier) DESC
    LIMIT 1
""").bindparams(sa.bindparam("tier", type_=sa.Text), sa.bindparam("otherwise", type_=sa.Text))


async def expiry(tx: Transaction, recording: Recording, ended_at: datetime, otherwise: str) -> datetime | None:
    """When the recording is to be removed; None when no policy says so, or one names a time beyond any calendar: it stays.

    `otherwise` names the one for all.
    """
    asked = {
        "call_id": recording.call_id,
        "stream_id": recording.stream_id,
        "started_by": recording.started_by,
        "tier": recording.tier or "",
        "otherwise": otherwise,
    }
    days = (await tx.connection.execute(DAYS, asked)).scalar_one_or_none()
    return None if days is None or days >= (LAST_DAY - ended_at).days else ended_at + timedelta(days=days)
