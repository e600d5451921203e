"""Inserts, updates and deletes as one statement each: the rows, the permission check on what was written, and the answer."""

from typing import Any

import sqlalchemy as sa

from permissions.expressions import TRUE
from resolvers.ir import DeleteRoot, InsertedRows, InsertRoot, UpdateRoot, WriteRoot
from resolvers.sql.json_values import EMPTY_LIST
from resolvers.sql.plan import Plan
from resolvers.sql.select import Selects
from resolvers.sql.writing.assigned_values import assigned_value, written_value
from resolvers.sql.writing.changed_rows import changed_rows
from resolvers.sql.writing.inserted import insert_statement
from resolvers.sql.writing.kept_rows import kept_rows, most_kept
from resolvers.sql.writing.write_check import WriteCheck, if_checked
from resolvers.sql.writing.written_rows import WrittenRows, columns_needed, counted, looks_beyond, nothing_written, written_answer
from schema.model import TrackedTable


def write_plan(selects: Selects, root: WriteRoot) -> Plan:
    """The plan of one mutation root field. Its value is `false` when a written row fails the permission's check.

    Otherwise it is the field's own, or, when that looks beyond the written rows, those rows as a list for `answer_plan`.
    """
    tracked = selects.catalog[root.table]
    statement, check = _statement(selects, tracked, root)
    beyond = looks_beyond(root, selects.rules)
    if statement is None:
        return selects.plan(EMPTY_LIST if beyond else nothing_written(root))
    written = statement.cte(selects.name("written"))
    if beyond:
        kept = kept_rows(selects, tracked, written, columns_needed(selects, tracked, root))
        return selects.plan(if_checked(selects, tracked, written, check, kept), most_kept(selects))
    return selects.plan(if_checked(selects, tracked, written, check, written_answer(selects, WrittenRows(tracked, written), root)))


def nested_plan(selects: Selects, inserted: InsertedRows, *, keep: bool) -> Plan:
    """One statement of a nested insert. Its value is `false`, the written rows as a list when others need them, or how many there are."""
    tracked = selects.catalog[inserted.table]
    statement, check = insert_statement(selects, inserted)
    written = statement.cte(selects.name("written"))
    answer = kept_rows(selects, tracked, written) if keep else sa.func.to_json(counted(selects, written))
    return selects.plan(if_checked(selects, tracked, written, check, answer), most_kept(selects))


def _statement(selects: Selects, tracked: TrackedTable, root: WriteRoot) -> tuple[Any, WriteCheck]:
    """The statement (None when there is nothing to write) and the check on what it has written."""
    match root:
        case InsertRoot():
            return insert_statement(selects, root.inserted) if root.inserted.rows else (None, WriteCheck(TRUE))
        case UpdateRoot():
            return _update(selects, tracked, root), WriteCheck(selects.rules.update[root.table].check or TRUE)
        case DeleteRoot():
            kept = changed_rows(selects, tracked, selects.rules.delete[root.table].filter, root.where)
            return sa.delete(tracked.table).where(*kept).returning(*tracked.table.columns), WriteCheck(TRUE)


def _update(selects: Selects, tracked: TrackedTable, root: UpdateRoot) -> Any:
    """Without anything to set nothing is written."""
    rule = selects.rules.update[root.table]
    values = {name: assigned_value(selects, tracked, name, assigned) for name, assigned in root.values.items()}
    values |= {name: written_value(selects, tracked, name, operand) for name, operand in rule.presets.items()}
    if not values:
        return None
    kept = changed_rows(selects, tracked, rule.filter, root.where)
    return sa.update(tracked.table).values(values).where(*kept).returning(*tracked.table.columns)
