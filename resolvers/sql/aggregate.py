"""The `aggregate` object: counts and functions over a set of rows, in one pass."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from permissions.compiling.filled_text import FilledText
from permissions.compiling.select_text import Conditions, scalar, subselect
from resolvers.ir import AggregateValues, ColumnField, ComputedFieldValue, Count, FunctionValues, Typename
from resolvers.sql.json_values import Json, json_object, text_value, told
from resolvers.sql.size.row_size import bounded_together
from resolvers.sql.size.widths import is_long, may_vary
from schema.model import PgType
from schema.sql_types import Native, as_its_type, pg_type

UUID = PgType("uuid")
ROWS = FilledText(sa.Integer(), ["count(*)"])


def aggregate_values(
    part: AggregateValues,
    rows: sa.FromClause,
    where: Conditions,
    name: str,
    largest: int,
    computed_of: Callable[[ComputedFieldValue], Json],
    *,
    as_text: bool = False,
) -> Json:
    """One JSON object over the rows: the values in a subselect, one column each, and the object around them.

    `as_text`: long numbers are text. Hasura (`aggregateFieldToExp`): by the type of the column, whatever the function makes of it.
    """
    values, varying, texts = list[Json](), list[int](), False
    for value in part.values:
        match value:
            case Count():
                values.append(_count(value, rows))
            case FunctionValues(_, function, columns):
                for item in [c for c in columns if not isinstance(c, Typename)]:
                    column = rows.columns[item.column] if isinstance(item, ColumnField) else computed_of(item)
                    type_ = pg_type(column.type)
                    if may_vary(type_):
                        varying.append(len(values))
                        texts = texts or is_long(type_)
                    values.append(told(applied(function, column), type_, as_text=as_text))
    numbered = [(str(index), value) for index, value in enumerate(values or [ROWS])]
    computed = subselect(name, numbered, rows, where)
    columns_in_order = iter(_bounded([*computed.columns.values()], varying if texts or len(varying) > 1 else (), largest))
    items = [(value.key, _item(value, columns_in_order)) for value in part.values]
    return scalar(json_object(items), computed)


def computed_in(part: AggregateValues) -> list[ComputedFieldValue]:
    """The computed fields that it takes."""
    functions = [value for value in part.values if isinstance(value, FunctionValues)]
    return [field for function in functions for field in function.values if isinstance(field, ComputedFieldValue)]


def _bounded(columns: list[Json], long: Sequence[int], largest: int) -> list[Json]:
    """The same, the first long one measured together with all: `max` of a text is as long as the text, and may be asked for often."""
    if not long:
        return columns
    first = long[0]
    bounded = bounded_together(columns[first], [(columns[index], 1) for index in long], largest)
    return [*columns[:first], bounded, *columns[first + 1 :]]


def applied(function: str, column: sa.ColumnElement[Any]) -> Json:
    """`max(column)` and the like. PostgreSQL orders uuids and has no `max` of them; their text has the same order."""
    values: Any = getattr(sa.func, function)
    type_ = pg_type(column.type)
    column = as_its_type(column, type_)
    if type_ == UUID and function in ("max", "min"):
        return sa.cast(values(sa.collate(sa.cast(column, sa.Text()), "C")), Native(type_))
    value: Json = values(column)
    return value


def _item(value: Typename | Count | FunctionValues, columns: Any) -> Json:
    match value:
        case Typename(_, name):
            return text_value(name)
        case Count():
            return next(columns)
        case FunctionValues(_, _, inner):
            return json_object([(c.key, text_value(c.name) if isinstance(c, Typename) else next(columns)) for c in inner])


def _count(count: Count, rows: sa.FromClause) -> Json:
    columns = [rows.columns[name] for name in count.columns]
    if not columns:
        return ROWS
    counted: Any = columns[0] if len(columns) == 1 else sa.tuple_(*columns)
    return sa.func.count(sa.distinct(counted) if count.distinct else counted)
