"""An outbox as those see it who deliver: what is due is taken, and what became of it is written down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa

from domain.world import World

PURGED_AT_ONCE: Final = 1000
MOMENT: Final = sa.TIMESTAMP(timezone=True)
# What somebody else takes at this moment is skipped.
TAKE: Final = """
    WITH due AS (
        SELECT item.id FROM {table} AS item
        WHERE item.sent_at IS NULL AND item.next_attempt_at <= :now AND {alive} AND {free}
        ORDER BY {order} LIMIT :many FOR UPDATE SKIP LOCKED
    )
    UPDATE {table} AS item SET attempts = item.attempts + 1, taken_until = :until, next_attempt_at = :until
    FROM due WHERE item.id = due.id RETURNING {columns}
"""
# A failure that comes too late, when the item is in other hands, says nothing; that it was taken counts whoever says it.
SETTLE: Final = """
    UPDATE {table} SET taken_until = NULL, error = :error, sent_at = :sent_at, next_attempt_at = :next
    WHERE id = :id AND sent_at IS NULL AND (attempts = :attempt OR CAST(:sent_at AS timestamptz) IS NOT NULL)
"""
OLDEST: Final = "SELECT min(item.created_at) FROM {table} AS item WHERE item.sent_at IS NULL AND {alive}"
PURGE: Final = """
    DELETE FROM {table} WHERE id IN (
        SELECT id FROM {table} WHERE created_at <= :before ORDER BY created_at LIMIT :many FOR UPDATE SKIP LOCKED)
"""


class Undelivered(Protocol):
    """What is delivered: a dataclass of columns. `attempt` is the number of this try."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def id(self) -> UUID: ...
    @property
    def attempt(self) -> int: ...


Item = TypeVar("Item", bound=Undelivered)


class Outbox(Generic[Item]):
    """One table, with `created_at`, `attempts`, `next_attempt_at`, `taken_until`, `sent_at` and `error` beside the columns of its items.

    `alive` and `free` are conditions on `item` at `:now`: it is still worth a try; nobody has to wait for another first. `order` says who
    goes first. Longer than `taken_for` no try may last: who has not settled an item by then is gone. `kept` is for how long rows stay.
    """

    def __init__(
        self, name: str, item: type[Item], *, alive: str, free: str = "true", order: str, taken_for: timedelta, kept: timedelta
    ) -> None:
        self.taken_for, self.kept = taken_for, kept
        self._name, self._item = name, item
        columns = ", ".join("item.attempts AS attempt" if one == "attempt" else f"item.{one}" for one in item.__dataclass_fields__)
        parts = {"table": f"nchat_{name}_outbox", "alive": alive, "free": free, "order": order, "columns": columns}
        now = sa.bindparam("now", type_=MOMENT)
        moments = [sa.bindparam(one, type_=MOMENT) for one in ("sent_at", "next")]
        self._take = sa.text(TAKE.format(**parts)).bindparams(now)
        self._settle = sa.text(SETTLE.format(**parts)).bindparams(*moments, sa.bindparam("error", type_=sa.Text))
        self._oldest = sa.text(OLDEST.format(**parts)).bindparams(now)
        self._purge = sa.text(PURGE.format(**parts)).bindparams(sa.bindparam("many", PURGED_AT_ONCE))

    async def take(self, world: World, many: int) -> Sequence[Item]:
        """Up to so many of those that are due; until they are settled, or `taken_for` is over, nobody else gets them."""
        now = world.clock.now()
        async with world.transaction(f"{self._name}.take") as tx:
            taken = await tx.connection.execute(self._take, {"now": now, "until": now + self.taken_for, "many": many})
            return [self._item(**row._mapping) for row in taken]

    async def settle(self, world: World, item: Item, *, error: str | None = None, next_attempt_at: datetime | None = None) -> None:
        """Writes down what became of a try: it was taken (no `error`), or when it is tried again."""
        now = world.clock.now()
        outcome = {"error": error, "sent_at": None if error else now, "next": next_attempt_at or now}
        async with world.transaction(f"{self._name}.settle") as tx:
            await tx.connection.execute(self._settle, {"id": item.id, "attempt": item.attempt, **outcome})

    async def oldest_age(self, world: World) -> float:
        """For how many seconds the oldest waits that is still to be delivered; 0 when none does."""
        now = world.clock.now()
        async with world.transaction(f"{self._name}.age") as tx:
            oldest: datetime | None = (await tx.connection.execute(self._oldest, {"now": now})).scalar_one()
        return 0.0 if oldest is None else max((now - oldest).total_seconds(), 0.0)

    async def purge(self, world: World) -> int:
        """Forgets what was written longer ago than it is kept, a thousand at a time; returns how many."""
        gone, before = 0, world.clock.now() - self.kept
        while True:
            async with world.transaction(f"{self._name}.purge") as tx:
                some = (await tx.connection.execute(self._purge, {"before": before})).rowcount
            gone += some
            if some < PURGED_AT_ONCE:
                return gone
