"""What a statement writes into columns: values of the request, presets, keys of rows written before, and what updates make of a column."""

from typing import Any

import sqlalchemy as sa

from permissions.expressions import Constant, Operand
from permissions.literals import literal
from resolvers.ir import Assigned, OfWrittenRow, Written
from resolvers.sql.json_values import Json
from resolvers.sql.select import Selects
from resolvers.sql.writing.kept_rows import rows_kept
from schema.model import PgType, TrackedTable
from schema.sql_types import Native

_TEXT, _TEXTS, _INTEGER = PgType("text"), PgType("text", is_array=True), PgType("int4")
# By operator: how column and value come together, whether the column stands first, and the value's type where it is not the column's.
_TOGETHER: dict[str, tuple[str, bool, PgType | None]] = {
    "_inc": ("+", True, None),
    "_append": ("||", True, None),
    "_prepend": ("||", False, None),
    "_delete_key": ("-", True, _TEXT),
    "_delete_elem": ("-", True, _INTEGER),
    "_delete_at_path": ("#-", True, _TEXTS),
}


def written_value(selects: Selects, tracked: TrackedTable, name: str, operand: Operand | OfWrittenRow | None) -> Json:
    """A value for a column, cast to its type."""
    return _cast(selects, operand, tracked.columns[name].type)


def assigned_value(selects: Selects, tracked: TrackedTable, name: str, assigned: Assigned) -> Json:
    """What an update sets a column to."""
    if assigned.operator == "_set":
        return written_value(selects, tracked, name, assigned.value)
    operator, column_first, type_ = _TOGETHER[assigned.operator]
    column: Any = tracked.table.columns[name]
    value = _cast(selects, assigned.value, type_ or tracked.columns[name].type, typed_null=True)
    together: Json = column.op(operator)(value) if column_first else value.op(operator)(column)
    return together


def _cast(selects: Selects, operand: Operand | Written, type_: PgType, *, typed_null: bool = False) -> Json:
    match operand:
        case None:
            return sa.cast(sa.null(), Native(type_)) if typed_null else sa.null()
        case OfWrittenRow():
            return sa.cast(_of_written_row(selects, operand), Native(type_))
        case Constant(value):
            operand = Constant(literal(value, type_))
    return sa.cast(selects.parameters(operand), Native(type_))


def _of_written_row(selects: Selects, written: OfWrittenRow) -> Json:
    """The very value, whatever its type."""
    rows = rows_kept(selects.catalog[written.table].table, selects.parameters(written.rows)).alias(selects.name("parent"))
    value: Json = sa.select(rows.c[written.column]).select_from(rows).scalar_subquery()
    return value
