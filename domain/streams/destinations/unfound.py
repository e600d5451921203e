"""A host that nobody can find at this moment is looked for again, in ever longer pauses, and the stream's host is told so.

A name server that is away for a minute ends no destination; a name that leads nowhere is given up.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.streams.destinations.status import SeenState, hold, tell
from domain.world import Transaction
from schema.tables.stream_outputs import stream_outputs as table

# Each pause is as long as it has lasted by then.
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(seconds=60)
GIVEN_UP_AFTER: Final = timedelta(minutes=15)
LOOKED_FOR: Final = "The address's host can't be found at this moment; it is tried again."
GIVEN_UP: Final = "The address's host could not be found for 15 minutes: check the address, and update the destination to try again."


async def look_later(tx: Transaction, output_id: UUID, since: datetime | None, now: datetime) -> None:
    """An output whose host was not found, now and since a moment, or for the first time: nobody asks LiveKit for it for a while."""
    waited = timedelta() if since is None else now - since
    pause = min(max(waited, FIRST_PAUSE), LONGEST_PAUSE)
    await hold(tx, output_id)
    mine = sa.update(table).where(table.c.id == output_id, table.c.sent_at.is_(None))
    await tx.connection.execute(mine.values(unfound_since=now - waited, not_before=now + pause, asked_at=None))
    await tell(tx, output_id, SeenState("connecting", LOOKED_FOR))


def is_given_up(since: datetime | None, now: datetime) -> bool:
    """It has not been found for too long."""
    return since is not None and now - since >= GIVEN_UP_AFTER
