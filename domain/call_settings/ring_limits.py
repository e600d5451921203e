"""Whom a ring may not reach: who rests, and who lets only some people ring, or nobody."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import Transaction

UNREACHABLE: Final = sa.text("""
    SELECT people.id FROM nchat_call_participants AS people
    JOIN nchat_user_call_settings AS settings ON settings.user_id = people.user_id
    WHERE people.id = ANY (:participants) AND (
        settings.dnd_until > :now OR settings.ring_from = 'nobody'
        OR settings.ring_from = 'channel_members' AND NOT EXISTS (
            SELECT FROM nchat_channel_members AS mine JOIN nchat_channel_members AS theirs ON theirs.channel_id = mine.channel_id
            WHERE mine.user_id = :caller AND theirs.user_id = people.user_id))
""").bindparams(sa.bindparam("participants", type_=pg.ARRAY(pg.UUID())))


async def unreachable(tx: Transaction, participant_ids: Sequence[UUID], caller_id: UUID, now: datetime) -> set[UUID]:
    """Those of the participants whom this caller may not ring now."""
    asked = {"participants": list(participant_ids), "caller": caller_id, "now": now}
    return set((await tx.connection.execute(UNREACHABLE, asked)).scalars())
