"""The outbox as those see it who deliver: what is due is taken, and what became of it is written down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from domain.ports import Push
from domain.world import World

# Longer than a try can last: who has not settled a push by then is gone.
TAKEN_FOR: Final = timedelta(seconds=15)
# A bound for what ends its process each time; everything else expires before.
MOST_ATTEMPTS: Final = 200
KEPT: Final = timedelta(days=2)
PURGED_AT_ONCE: Final = 1000

# Rings first. What somebody else takes at this moment is skipped; while one push of a call is on its way to a person, the next waits, so
# that the service has them in order.
TAKE: Final = sa.text("""
    WITH due AS (
        SELECT push.id FROM nchat_push_outbox AS push
        WHERE push.sent_at IS NULL AND push.expires_at > :now AND push.next_attempt_at <= :now AND push.attempts < :most_attempts
            AND NOT EXISTS (
                SELECT FROM nchat_push_outbox AS other
                WHERE other.collapse_id = push.collapse_id AND other.user_id = push.user_id AND other.sent_at IS NULL
                    AND other.taken_until > :now)
        ORDER BY push.transport = 'voip' DESC, push.next_attempt_at
        LIMIT :many FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_push_outbox AS push
    SET attempts = push.attempts + 1, taken_until = :until, next_attempt_at = :until
    FROM due WHERE push.id = due.id
    RETURNING push.id, push.user_id, push.kind, push.transport, push.collapse_id, push.payload, push.created_at, push.expires_at,
        push.attempts AS attempt
""").bindparams(sa.bindparam("most_attempts", MOST_ATTEMPTS))
# A failure that comes too late, when the push is in other hands, says nothing.
SETTLE: Final = sa.text("""
    UPDATE nchat_push_outbox SET taken_until = NULL, error = :error, sent_at = :sent_at, next_attempt_at = :next
    WHERE id = :id AND sent_at IS NULL AND (attempts = :attempt OR CAST(:sent_at AS timestamptz) IS NOT NULL)
""").bindparams(
    *(sa.bindparam(name, type_=sa.TIMESTAMP(timezone=True)) for name in ("sent_at", "next")), sa.bindparam("error", type_=sa.Text)
)
OLDEST: Final = sa.text("SELECT min(created_at) FROM nchat_push_outbox WHERE sent_at IS NULL AND expires_at > :now")
PURGE: Final = sa.text("""
    DELETE FROM nchat_push_outbox WHERE id IN (
        SELECT id FROM nchat_push_outbox WHERE created_at < :before ORDER BY created_at LIMIT :many FOR UPDATE SKIP LOCKED)
""").bindparams(sa.bindparam("many", PURGED_AT_ONCE))


async def take(world: World, many: int) -> Sequence[Push]:
    """Up to so many of the pushes that are due; until they are settled, or `TAKEN_FOR` is over, nobody else gets them."""
    now = world.clock.now()
    async with world.transaction("push.take") as tx:
        taken = await tx.connection.execute(TAKE, {"now": now, "until": now + TAKEN_FOR, "many": many})
        return [Push(**row._mapping) for row in taken]


async def settle(world: World, push: Push, *, error: str | None = None, next_attempt_at: datetime | None = None) -> None:
    """Writes down what became of a try: the service took the push (no `error`), or when it is tried again."""
    now = world.clock.now()
    outcome = {"error": error, "sent_at": None if error else now, "next": next_attempt_at or now}
    async with world.transaction("push.settle") as tx:
        await tx.connection.execute(SETTLE, {"id": push.id, "attempt": push.attempt, **outcome})


async def oldest_age(world: World) -> float:
    """For how many seconds the oldest push waits that is still to be delivered; 0 when none does."""
    now = world.clock.now()
    async with world.transaction("push.age") as tx:
        oldest: datetime | None = (await tx.connection.execute(OLDEST, {"now": now})).scalar_one()
    return 0.0 if oldest is None else max((now - oldest).total_seconds(), 0.0)


async def purge(world: World) -> int:
    """Forgets what was written more than two days ago, a thousand at a time; returns how many."""
    gone, before = 0, world.clock.now() - KEPT
    while True:
        async with world.transaction("push.purge") as tx:
            some = (await tx.connection.execute(PURGE, {"before": before})).rowcount
        gone += some
        if some < PURGED_AT_ONCE:
            return gone
