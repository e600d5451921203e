"""All secrets at rest brought under the newest key, after which the older keys may go."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import Row

from domain.ports import NoSealingKey, Sealer, Unreadable
from domain.short_waits import HeldByAnother, short_waits
from domain.world import Transactions
from schema.tables import sealed_columns

PAGE: Final = 200


@dataclass(slots=True)
class Rotated:
    """What became of one column by now: secrets that were sealed anew, that the newest key had sealed already, that somebody else wrote or
    held in that moment, and the keys of the rows whose secret none of our keys reads."""

    column: sa.Column[str]
    resealed: int = 0
    current: int = 0
    busy: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Nothing of it needs an older key."""
        return not self.busy and not self.unreadable

    @property
    def name(self) -> str:
        return f"{self.column.table.name}.{self.column.name}"


# Hears after every page what became of its column by then.
Progress = Callable[[Rotated], None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """The database, its keys, and who watches."""

    transaction: Transactions
    sealer: Sealer
    progress: Progress

    async def run(self) -> Sequence[Rotated]:
        """A page of rows a transaction, beside a running service; safe to repeat, in the middle too. Raises NoSealingKey, and the
        database's own errors: what was sealed anew by then stays so."""
        done = [Rotated(column) for column in sealed_columns()]
        for rotated in done:
            await self._column(rotated)
        return done

    async def _column(self, rotated: Rotated) -> None:
        after = None
        while page := await self._page(rotated.column, after):
            fresh = list(self._resealed(rotated, page))
            if fresh:
                await self._write(rotated, fresh)
            after = page[-1].key
            self.progress(rotated)

    async def _page(self, column: sa.Column[str], after: object) -> Sequence[Row[Any]]:
        key = _key(column)
        rows = sa.select(key.label("key"), column.label("sealed")).where(column.is_not(None)).order_by(key).limit(PAGE)
        async with self.transaction("rotate_keys.read") as tx:
            return (await tx.connection.execute(rows if after is None else rows.where(key > after))).all()

    def _resealed(self, rotated: Rotated, page: Sequence[Row[Any]]) -> Iterator[tuple[object, str, str]]:
        """Key, old and new text of what is to be written."""
        for row in page:
            try:
                fresh = self.sealer.reseal(row.sealed)
            except NoSealingKey:
                raise
            except Unreadable:
                rotated.unreadable.append(str(row.key))
                continue
            if fresh == row.sealed:
                rotated.current += 1
            else:
                yield row.key, row.sealed, fresh

    async def _write(self, rotated: Rotated, fresh: Sequence[tuple[object, str, str]]) -> None:
        """Only over what was read: a secret that somebody replaced meanwhile stays."""
        column, key = rotated.column, _key(rotated.column)
        keys, before, after = (list(values) for values in zip(*fresh, strict=True))
        new = sa.func.unnest(_array(keys, key.type), _array(before, sa.Text()), _array(after, sa.Text()))
        rows = new.table_valued(sa.column("key", key.type), sa.column("before", sa.Text()), sa.column("after", sa.Text()), name="fresh")
        rows = rows.render_derived()
        write = sa.update(column.table).where(key == rows.c.key, column == rows.c.before).values({column.name: rows.c.after})
        written = 0
        try:
            async with self.transaction("rotate_keys.write") as tx, short_waits(tx):
                written = (await tx.connection.execute(write)).rowcount
        except HeldByAnother:
            written = 0
        rotated.resealed += written
        rotated.busy += len(fresh) - written


def _key(column: sa.Column[str]) -> sa.Column[Any]:
    """The table's primary key, which is one column."""
    (key,) = column.table.primary_key.columns
    return key


def _array(values: Sequence[object], type_: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.literal(list(values), pg.ARRAY(type_))
