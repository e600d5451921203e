"""The outbox of events as those see it who deliver: what is due is taken, and what became of it is written down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from domain.ports import OutsideEvent
from domain.world import World

# Longer than a try can last: who has not settled an event by then is gone.
TAKEN_FOR: Final = timedelta(seconds=30)
# From then on it is forgotten, taken or not.
KEPT: Final = timedelta(days=7)
PURGED_AT_ONCE: Final = 1000

TAKE: Final = sa.text("""
    WITH due AS (
        SELECT event.id FROM nchat_event_outbox AS event
        WHERE event.sent_at IS NULL AND event.next_attempt_at <= :now AND event.created_at > :oldest
        ORDER BY event.next_attempt_at LIMIT :many FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_event_outbox AS event SET attempts = event.attempts + 1, taken_until = :until, next_attempt_at = :until
    FROM due WHERE event.id = due.id
    RETURNING event.id, event.kind, event.payload, event.created_at, event.attempts AS attempt
""")
# A failure that comes too late, when the event is in other hands, says nothing; that it was taken counts whoever says it.
SETTLE: Final = sa.text("""
    UPDATE nchat_event_outbox SET taken_until = NULL, error = :error, sent_at = :sent_at, next_attempt_at = :next
    WHERE id = :id AND sent_at IS NULL AND (attempts = :attempt OR CAST(:sent_at AS timestamptz) IS NOT NULL)
""").bindparams(
    *(sa.bindparam(name, type_=sa.TIMESTAMP(timezone=True)) for name in ("sent_at", "next")), sa.bindparam("error", type_=sa.Text)
)
OLDEST: Final = sa.text("SELECT min(created_at) FROM nchat_event_outbox WHERE sent_at IS NULL AND created_at > :oldest")
PURGE: Final = sa.text("""
    DELETE FROM nchat_event_outbox WHERE id IN (
        SELECT id FROM nchat_event_outbox WHERE created_at <= :before ORDER BY created_at LIMIT :many FOR UPDATE SKIP LOCKED)
""").bindparams(sa.bindparam("many", PURGED_AT_ONCE))


async def take(world: World, many: int) -> Sequence[OutsideEvent]:
    """Up to so many of the events that are due; until they are settled, or `TAKEN_FOR` is over, nobody else gets them."""
    now = world.clock.now()
    async with world.transaction("event.take") as tx:
        taken = await tx.connection.execute(TAKE, {"now": now, "until": now + TAKEN_FOR, "many": many, "oldest": now - KEPT})
        return [OutsideEvent(**row._mapping) for row in taken]


async def settle(world: World, event: OutsideEvent, *, error: str | None = None, next_attempt_at: datetime | None = None) -> None:
    """Writes down what became of a try: the receiver took it (no `error`), or when it is tried again."""
    now = world.clock.now()
    outcome = {"error": error, "sent_at": None if error else now, "next": next_attempt_at or now}
    async with world.transaction("event.settle") as tx:
        await tx.connection.execute(SETTLE, {"id": event.id, "attempt": event.attempt, **outcome})


async def oldest_wait(world: World) -> float:
    """For how many seconds the oldest event waits that is still to be delivered; 0 when none does."""
    now = world.clock.now()
    async with world.transaction("event.age") as tx:
        oldest: datetime | None = (await tx.connection.execute(OLDEST, {"oldest": now - KEPT})).scalar_one()
    return 0.0 if oldest is None else max((now - oldest).total_seconds(), 0.0)


async def purge_events(world: World) -> int:
    """Forgets what was written more than seven days ago, a thousand at a time; returns how many."""
    gone, before = 0, world.clock.now() - KEPT
    while True:
        async with world.transaction("event.purge") as tx:
            some = (await tx.connection.execute(PURGE, {"before": before})).rowcount
        gone += some
        if some < PURGED_AT_ONCE:
            return gone
