"""Inserts, updates and deletes as one statement each: written rows, the permission check on them, and the answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from permissions.expressions import FALSE, TRUE, And, Expression, Operand, Rule
from resolvers.ir import (
    AffectedRows,
    ComputedFieldValue,
    DeleteRoot,
    InsertRoot,
    ResponsePart,
    Returning,
    Selection,
    Typename,
    UpdateRoot,
    WriteRoot,
    Written,
)
from resolvers.plan import Plan
from resolvers.select import Selects, Source
from resolvers.statement import EMPTY_LIST, FALSE_JSON, Json, columns_of, json_object, json_row, json_rows, row_of, text_literal
from schema.model import TrackedTable
from schema.sql_types import Native

_DEFAULT: Json = sa.literal_column("DEFAULT")
_ONE_ROW = ("insert_one", "update_by_pk", "delete_by_pk")
# The answer of a statement whose rows fail the check; no field of a mutation answers with it.
CHECK_FAILED = b"false"


def write_plan(selects: Selects, root: WriteRoot) -> Plan:
    """The plan of one mutation root field. Its value is the field's, or `false` when a written row fails the permission's check."""
    tracked = selects.catalog[root.table]
    statement, check = _statement(selects, tracked, root)
    if statement is None:
        return selects.plan(_nothing_written(root))
    computed = sorted(_computed_fields(root))
    returning = [*tracked.table.columns, *[_computed(selects, tracked, name) for name in computed]]
    rows = statement.returning(*returning).cte(selects.name("written"))
    answer = _answer(selects, tracked, rows, root)
    return selects.plan(_checked(selects, tracked, rows, check, answer))


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
    source = Source(tracked, tracked.table, None, _no_computed_field)
    terms = tuple(term for term in (Rule(filter_) if filter_ != TRUE else TRUE, where) if term != TRUE)
    return [selects.condition(And(terms), source)] if terms else []


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
    return sa.cast(selects.parameters(operand), Native(tracked.columns[name].type))


def _update(selects: Selects, tracked: TrackedTable, root: UpdateRoot) -> Any:
    """Rows outside the filter are passed over in silence. Without anything to set nothing is written."""
    rule = selects.rules.update[root.table]
    values = {name: _cast(selects, tracked, name, operand) for name, operand in {**root.values, **rule.presets}.items()}
    if not values:
        return None
    return sa.update(tracked.table).values(values).where(*_kept(selects, tracked, rule.filter, root.where))


def _no_computed_field(name: str) -> Json:
    raise TypeError(f"a computed field can't be compared: {name}")


def _computed_fields(root: WriteRoot) -> set[str]:
    selections: list[Selection] = [root.selection, *[part.selection for part in root.response if isinstance(part, Returning)]]
    return {item.name for selection in selections for item in selection if isinstance(item, ComputedFieldValue)}


def _computed(selects: Selects, tracked: TrackedTable, name: str) -> Json:
    return selects.call(tracked.computed_fields[name], row_of(tracked.table)).label(_computed_label(name))


def _computed_label(name: str) -> str:
    return f"0_{name}"


def _checked(selects: Selects, tracked: TrackedTable, rows: sa.CTE, check: Expression | None, answer: Json) -> Json:
    """Fails closed: a check that is unknown (NULL) refuses, where Hasura lets it pass."""
    if check is None or check == TRUE:
        return answer
    source = Source(tracked, rows, None, _no_computed_field)
    passed = sa.func.coalesce(selects.condition(Rule(check), source), selects.condition(FALSE, source))
    all_passed = sa.select(sa.func.coalesce(sa.func.bool_and(passed), sa.literal_column("true"))).select_from(rows).scalar_subquery()
    return sa.case((all_passed, answer), else_=FALSE_JSON)


def _answer(selects: Selects, tracked: TrackedTable, rows: sa.CTE, root: WriteRoot) -> Json:
    if root.kind in _ONE_ROW:
        return json_row(_written(selects, tracked, rows, root.selection))
    return json_object([(part.key, _response(selects, tracked, rows, part)) for part in root.response])


def _response(selects: Selects, tracked: TrackedTable, rows: sa.CTE, part: ResponsePart) -> Json:
    match part:
        case Typename(_, name):
            return sa.cast(text_literal(name), sa.Text())
        case AffectedRows():
            return sa.select(sa.func.count()).select_from(rows).scalar_subquery()
        case Returning(_, selection):
            return json_rows(_written(selects, tracked, rows, selection))


def _written(selects: Selects, tracked: TrackedTable, rows: sa.CTE, selection: Selection) -> sa.Subquery:
    """Hasura: columns by the select permission, rows as they were written, unfiltered."""
    alias = rows.alias(selects.name(tracked.graphql_name))
    source = Source(tracked, alias, None, lambda name: alias.columns[_computed_label(name)])
    statement = sa.select(*columns_of(selects.row_items(source, selection))).select_from(alias)
    return statement.subquery(selects.name("row"))


def _nothing_written(root: WriteRoot) -> Json:
    if root.kind in _ONE_ROW:
        return sa.cast(sa.null(), sa.JSON())
    zero: Json = sa.literal_column("0")
    values: dict[type, Json] = {AffectedRows: zero, Returning: EMPTY_LIST}
    items = [
        (part.key, sa.cast(text_literal(part.name), sa.Text()) if isinstance(part, Typename) else values[type(part)])
        for part in root.response
    ]
    return json_object(items)
