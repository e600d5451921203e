"""Rows as one INSERT: defaults, presets, and what happens on a conflict."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from permissions.expressions import Operand, Rule, conjunction
from resolvers.ir import Conflict, InsertedRows, Written
from resolvers.sql.json_values import Json
from resolvers.sql.select import Selects
from resolvers.sql.writing.assigned_values import written_value
from resolvers.sql.writing.changed_rows import changed_rows
from resolvers.sql.writing.write_check import NEW, WriteCheck
from schema.model import TrackedTable

_DEFAULT: Json = sa.literal_column("DEFAULT")


def insert_statement(selects: Selects, inserted: InsertedRows) -> tuple[Any, WriteCheck]:
    """The statement with what it returns, and the check on that. There are rows."""
    tracked = selects.catalog[inserted.table]
    rule, conflict = selects.rules.insert[inserted.table], inserted.conflict
    statement = insert(tracked.table).values(_values(selects, tracked, [row.columns for row in inserted.rows], rule.presets))
    if conflict is None:
        return statement.returning(*tracked.table.columns), WriteCheck(rule.check)
    if not conflict.columns:
        return statement.on_conflict_do_nothing(constraint=conflict.constraint).returning(*tracked.table.columns), WriteCheck(rule.check)
    statement = _updating(selects, tracked, statement, conflict)
    of_updated = selects.rules.update[inserted.table].check
    if of_updated is None:
        # Hasura: without a check of its own the updated row is held to that of the inserted.
        return statement.returning(*tracked.table.columns), WriteCheck(rule.check)
    if tracked.partitioned:
        # PostgreSQL tells of a partition's row nothing that shows whether it was there; so each is held to both.
        return statement.returning(*tracked.table.columns), WriteCheck(conjunction([Rule(rule.check), Rule(of_updated)]))
    # A row that was there has been locked by this transaction, and its new version still says so; a new one was locked by none.
    is_new = sa.literal_column("xmax = 0", sa.Boolean()).label(NEW)
    return statement.returning(*tracked.table.columns, is_new), WriteCheck(rule.check, of_updated)


def _updating(selects: Selects, tracked: TrackedTable, statement: Insert, conflict: Conflict) -> Insert:
    """Rows outside the update permission's filter stay as they are, without a word."""
    rule = selects.rules.update[tracked.name]
    values: dict[str, Any] = {name: statement.excluded[name] for name in conflict.columns}
    values |= {name: written_value(selects, tracked, name, operand) for name, operand in rule.presets.items()}
    kept = changed_rows(selects, tracked, rule.filter, conflict.where)
    return statement.on_conflict_do_update(constraint=conflict.constraint, set_=values, where=sa.and_(*kept) if kept else None)


def _values(
    selects: Selects, tracked: TrackedTable, rows: list[Mapping[str, Written]], presets: Mapping[str, Operand]
) -> list[dict[str, Json]]:
    """Null is written, absent is DEFAULT, presets go into every row; what a parent row gives stands above a preset, as in Hasura."""
    # The key too: SQLAlchemy wants to know where it comes from, and a row of defaults needs a column to say so.
    given = {name for row in rows for name in row} | presets.keys() | set(tracked.primary_key)
    names = [name for name in tracked.columns if name in given] or [next(iter(tracked.columns))]
    return [{name: _value(selects, tracked, name, row, presets) for name in names} for row in rows]


def _value(selects: Selects, tracked: TrackedTable, name: str, row: Mapping[str, Written], presets: Mapping[str, Operand]) -> Json:
    if name in row:
        return written_value(selects, tracked, name, row[name])
    return written_value(selects, tracked, name, presets[name]) if name in presets else _DEFAULT
