"""An absence is seen twice before it counts: one look may race with a join, or meet LiveKit at a bad moment."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from domain.world import Transaction
from schema.tables.call_absences import call_absences

APART: Final = timedelta(seconds=10)


async def missed(tx: Transaction, participant_id: UUID, at: datetime) -> bool:
    """Notes a look that did not find the person; True when an earlier one, 10 s before or more, did not either."""
    row = {"participant_id": participant_id, "first_missed_at": at}
    await tx.connection.execute(insert(call_absences).values(row).on_conflict_do_nothing())
    mine = call_absences.c.participant_id == participant_id
    first = (await tx.connection.execute(sa.select(call_absences.c.first_missed_at).where(mine))).scalar_one()
    if at - first < APART:
        return False
    await found(tx, participant_id)
    return True


async def found(tx: Transaction, participant_id: UUID) -> None:
    """Forgets earlier looks: the person is there, or is not expected to be."""
    await tx.connection.execute(sa.delete(call_absences).where(call_absences.c.participant_id == participant_id))
