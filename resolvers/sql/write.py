"""Inserts, updates and deletes as one statement each: the rows, the permission check on what was written, and the answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from permissions.expressions import TRUE, Constant, Expression, Operand, Rule
from permissions.literals import literal
from resolvers.ir import (
    DeleteRoot,
    InsertRoot,
    UpdateRoot,
    WriteRoot,
    Written,
)
from resolvers.sql.json_values import EMPTY_LIST, Json
from resolvers.sql.plan import Plan
from resolvers.sql.row_source import RowSource
from resolvers.sql.select import Selects
from resolvers.sql.size.answer_size import growing_rows
from resolvers.sql.write_check import if_checked
from resolvers.sql.written_rows import WrittenRows, looks_beyond, nothing_written, written_answer
from schema.model import TrackedTable
from schema.sql_types import Native

_DEFAULT: Json = sa.literal_column("DEFAULT")


def write_plan(selects: Selects, root: WriteRoot) -> Plan:
    """The plan of one mutation root field. Its value is `false` when a written row fails the permission's check.

    Otherwise it is the field's own, or, when that looks beyond the written rows, those rows as a list for `answer_plan`.
    """
    tracked = selects.catalog[root.table]
    statement, check = _statement(selects, tracked, root)
    beyond = looks_beyond(root, selects.rules)
    if statement is None:
        return selects.plan(EMPTY_LIST if beyond else nothing_written(root))
    rows = statement.returning(*tracked.table.columns).cte(selects.name("written"))
    answer = (
        growing_rows(rows, selects.largest, selects.name("rows")) if beyond else written_answer(selects, WrittenRows(tracked, rows), root)
    )
    return selects.plan(if_checked(selects, tracked, rows, check, answer))


def _statement(selects: Selects, tracked: TrackedTable, root: WriteRoot) -> tuple[Any, Expression | None]:
    """The statement (None when there is nothing to write) and the check on what it has written."""
    match root:
        case InsertRoot():
            insert_rule = selects.rules.insert[root.table]
            return _insert(selects, tracked, root.rows, insert_rule.presets), insert_rule.check
        case UpdateRoot():
            return _update(selects, tracked, root), selects.rules.update[root.table].check
        case DeleteRoot():
            kept = _kept(selects, tracked, selects.rules.delete[root.table].filter, root.where)
            return sa.delete(tracked.table).where(*kept), None


def _kept(selects: Selects, tracked: TrackedTable, filter_: Expression, where: Expression) -> list[sa.ColumnElement[bool]]:
    """The permission's filter and the request's."""
    source = RowSource(tracked, tracked.table, None)
    kept = where if filter_ == TRUE else Rule(filter_, where)
    return [] if kept == TRUE else [selects.condition(kept, source)]


def _insert(selects: Selects, tracked: TrackedTable, rows: Sequence[Mapping[str, Written]], presets: Mapping[str, Operand]) -> Any:
    """Null is written, absent is DEFAULT, presets go into every row."""
    if not rows:
        return None
    # The key too: SQLAlchemy wants to know where it comes from, and a row of defaults needs a column to say so.
    given = {name for row in rows for name in row} | presets.keys() | set(tracked.primary_key)
    names = [name for name in tracked.columns if name in given] or [next(iter(tracked.columns))]
    values = [{name: _insert_value(selects, tracked, name, row, presets) for name in names} for row in rows]
    return sa.insert(tracked.table).values(values)


def _insert_value(selects: Selects, tracked: TrackedTable, name: str, row: Mapping[str, Written], presets: Mapping[str, Operand]) -> Json:
    if name in presets:
        return _cast(selects, tracked, name, presets[name])
    return _cast(selects, tracked, name, row[name]) if name in row else _DEFAULT


def _cast(selects: Selects, tracked: TrackedTable, name: str, operand: Operand | None) -> Json:
    if operand is None:
        return sa.null()
    type_ = tracked.columns[name].type
    if isinstance(operand, Constant):
        operand = Constant(literal(operand.value, type_))
    return sa.cast(selects.parameters(operand), Native(type_))


def _update(selects: Selects, tracked: TrackedTable, root: UpdateRoot) -> Any:
    """Rows outside the filter are passed over in silence. Without anything to set nothing is written."""
    rule = selects.rules.update[root.table]
    values = {name: _cast(selects, tracked, name, operand) for name, operand in {**root.values, **rule.presets}.items()}
    if not values:
        return None
    return sa.update(tracked.table).values(values).where(*_kept(selects, tracked, rule.filter, root.where))
