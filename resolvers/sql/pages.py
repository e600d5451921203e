"""Which of the visible rows are asked for, and in what order."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from permissions.compiling.filled_text import FilledText
from permissions.compiling.select_text import ALL, Page, scalar
from permissions.expressions import TRUE, Bound
from resolvers.ir import (
    Arguments,
    ComputedFieldValue,
    ComputedRows,
    OrderBy,
    RelatedAggregate,
    RelatedRow,
    RelatedRows,
    RowField,
)
from resolvers.sql.aggregate import ROWS, applied
from resolvers.sql.json_values import Json
from resolvers.sql.row_source import Called, Join, RowSource, values_tell
from resolvers.sql.visible_rows import VisibleRows
from schema.model import PgType, TableName
from schema.sql_types import Native

_BIGINT: Final = Native(PgType("int8"))
_FIRST: Final = Page(limit=sa.literal_column("1"))


def page(rows: VisibleRows, source: RowSource, arguments: Arguments, permitted: int | None) -> Page:
    """The page that is asked for, of no more rows than permitted."""
    return Page(
        [ordered(rows, source, by) for by in arguments.order_by],
        _limit(rows, arguments.limit, permitted),
        None if arguments.offset is None else number(rows, arguments.offset),
        [rows.cell(source, name) for name in arguments.distinct_on],
    )


def comes_first(arguments: Arguments, selection: Iterable[RowField]) -> bool:
    """Whether the page has to be taken before anything is made of its rows.

    PostgreSQL makes what is selected also of rows that an OFFSET skips and DISTINCT ON drops, and before it sorts what it inlines: for
    nothing, and with the errors of rows that aren't asked for. Hasura has page and order in the innermost select, too.
    """
    skips = arguments.offset is not None or bool(arguments.distinct_on)
    late: tuple[type[RowField], ...] = (ComputedFieldValue, ComputedRows, *((RelatedRow, RelatedRows, RelatedAggregate) if skips else ()))
    return (skips or bool(arguments.order_by)) and any(isinstance(item, late) for item in selection)


def known_limit(asked: int | Bound | None, permitted: int | None) -> int | None:
    """A limit that does not hang on the request's values; None where there is none."""
    if isinstance(asked, Bound):
        return None
    return min([limit for limit in (asked, permitted) if limit is not None], default=None)


def number(rows: VisibleRows, bound: Bound) -> Json:
    """How many rows the request says."""
    return sa.cast(rows.parameters(bound), _BIGINT)


def _limit(rows: VisibleRows, asked: int | Bound | None, permitted: int | None) -> Json | None:
    if isinstance(asked, Bound):
        bound = number(rows, asked)
        return bound if permitted is None else sa.func.least(bound, sa.literal_column(str(permitted)))
    known = known_limit(asked, permitted)
    return None if known is None else FilledText(_BIGINT, [str(known)])


def ordered(rows: VisibleRows, source: RowSource, by: OrderBy) -> FilledText:
    """A term of the order."""
    value = _order_value(rows, source, by, by.relationships)
    direction, *nulls = by.direction.upper().split("_", 1)
    return FilledText(value.type, [value, " ".join(["", direction, *[word.replace("_", " ") for word in nulls]])])


def _order_value(rows: VisibleRows, source: RowSource, by: OrderBy, way: tuple[str, ...]) -> Json:
    """The value ordered by: the target's select filter holds on the way, so hidden rows can't be sorted out."""
    if not way and by.aggregate is None:
        if by.computed is not None:
            return rows.computed(source, ComputedFieldValue("", by.computed))
        return source.column(by.column or "") if by.as_stored else rows.cell(source, by.column or "")
    table, place = _way(source, way[0] if way else by.aggregate or "")
    applied_to = [by.column] if by.column and not way else []
    tells = values_tell(rows.catalog[table], applied_to) or by.computed is not None
    target, where = rows.source(table, TRUE, place, tells=tells)
    if way:
        value = _order_value(rows, target, by, way[1:])
    elif by.column is None:
        value = ROWS
    else:
        value = applied(by.function or "", rows.cell(target, by.column))
    may_be_many = way and isinstance(place, Join) and not rows.is_unique(place.relationship)
    return scalar(value, target.from_, where, _FIRST if may_be_many else ALL)


def _way(source: RowSource, name: str) -> tuple[TableName, Join | Called]:
    """Where a relationship, or a computed field that returns rows, leads from a row."""
    if relationship := source.tracked.relationships.get(name):
        return relationship.target, Join(source, relationship)
    function = source.tracked.computed_fields[name].function
    return function.table, Called(function, {}, source)
