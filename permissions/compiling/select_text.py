"""SELECTs as text around the expressions that they are made of: those are ours to order, and SQLAlchemy's to write."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from permissions.compiling.filled_text import FilledText, NamedRows, Piece, quoted

Value = sa.ColumnElement[Any]
Conditions = Sequence[sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Page:
    """Which of the rows, and in what order; the terms of an order say their direction."""

    order_by: Sequence[FilledText] = ()
    limit: Value | None = None
    offset: Value | None = None
    distinct_on: Sequence[Value] = ()


_BOOLEAN: Final = sa.Boolean()
ALL: Final = Page()
# PostgreSQL makes each row once, however often it is named above, and moves nothing into it.
ONCE: Final = Page(offset=sa.literal_column("0"))


def select(
    values: Iterable[Sequence[Piece]], from_: sa.FromClause | FilledText | None, where: Conditions = (), page: Page = ALL
) -> list[Piece]:
    """The statement, of values as they stand in its list."""
    pieces: list[Piece] = ["SELECT "]
    if page.distinct_on:
        pieces += ["DISTINCT ON (", *_listed([[value] for value in page.distinct_on]), ") "]
    pieces += _listed(values)
    if from_ is not None:
        pieces += [" FROM ", from_]
    for index, condition in enumerate(where):
        pieces += [" AND " if index else " WHERE ", *_whole(condition)]
    if page.order_by:
        pieces += [" ORDER BY ", *_listed([[term] for term in page.order_by])]
    if page.limit is not None:
        pieces += [" LIMIT ", page.limit]
    if page.offset is not None:
        pieces += [" OFFSET ", page.offset]
    return pieces


def subselect(
    name: str, items: Sequence[tuple[str, Value]], from_: sa.FromClause | FilledText | None, where: Conditions = (), page: Page = ALL
) -> NamedRows:
    """Rows of these columns, for a FROM."""
    made = select([[value, f" AS {quoted(key)}"] for key, value in items], from_, where, page)
    return NamedRows(name, ["(", *made, ")"], {key: value.type for key, value in items})


def scalar(value: Value, from_: sa.FromClause, where: Conditions = (), page: Page = ALL) -> FilledText:
    """The value of the only row, or null."""
    return FilledText(value.type, ["(", *select([[value]], from_, where, page), ")"])


def exists(from_: sa.FromClause, where: Conditions) -> FilledText:
    """Whether there is such a row."""
    return FilledText(_BOOLEAN, ["(EXISTS (", *select([["1"]], from_, where), "))"])


def _listed(values: Iterable[Sequence[Piece]]) -> list[Piece]:
    pieces: list[Piece] = []
    for value in values:
        pieces += value
        pieces.append(", ")
    return pieces[:-1]


def _whole(condition: sa.ColumnElement[bool]) -> Sequence[Piece]:
    """A condition beside others: text is whole as it is."""
    return [condition] if isinstance(condition, FilledText) else ["(", condition, ")"]
