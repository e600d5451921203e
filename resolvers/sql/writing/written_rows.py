"""What a mutation answers with: written rows, and what their relationships lead to.

A statement doesn't see what it writes itself. Where the answer looks beyond the written rows, it is made by a second statement of the
same transaction, which sees them, and whatever a trigger added, as Hasura's does.
"""

from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass

import sqlalchemy as sa

from permissions.compiling.filled_text import NamedRows
from permissions.compiling.named import ANYTHING, columns_named
from permissions.compiling.select_text import subselect
from permissions.expressions import Bound
from permissions.rules import RoleRules
from resolvers.ir import (
    AffectedRows,
    ColumnField,
    ComputedFieldValue,
    ComputedRows,
    RelatedAggregate,
    RelatedRow,
    RelatedRows,
    ResponsePart,
    Returning,
    RowField,
    Selection,
    Typename,
    WriteRoot,
)
from resolvers.sql.json_values import EMPTY_LIST, Json, columns_of, json_object, json_row, text_value
from resolvers.sql.plan import Plan
from resolvers.sql.row_source import RowSource
from resolvers.sql.select import Selects
from resolvers.sql.size.held import held_by_list, held_by_row
from resolvers.sql.size.list_text import growing_rows
from resolvers.sql.writing.kept_rows import rows_kept
from schema.model import PgType, TrackedTable
from schema.sql_types import Native

_ONE_ROW = ("insert_one", "update_by_pk", "delete_by_pk")


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """Rows as they were written, with all columns of their table. `affected` counts them where rows of other tables count too."""

    tracked: TrackedTable
    rows: sa.FromClause
    affected: Json | None = None


def looks_beyond(root: WriteRoot, rules: RoleRules) -> bool:
    """Whether the answer holds more than columns of the written rows; what decides on a cell may look anywhere."""
    rule = rules.select.get(root.table)
    redactions: Collection[str] = () if rule is None else rule.redactions
    return any(item.column in redactions if isinstance(item, ColumnField) else not isinstance(item, Typename) for item in _told(root))


def _told(root: WriteRoot) -> Iterator[RowField]:
    """All that is told of the written rows."""
    yield from root.selection
    for part in root.response:
        if isinstance(part, Returning):
            yield from part.selection


def columns_needed(selects: Selects, tracked: TrackedTable, root: WriteRoot) -> Set[str] | None:
    """The columns of the written rows that an answer is made of; None where it may look at any."""
    rule = selects.rules.select.get(root.table)
    needed: set[str] = set()
    for item in _told(root):
        match item:
            case ColumnField(_, column, _):
                needed.add(column)
                if rule is not None and (shown := rule.redactions.get(column)) is not None:
                    needed.update(name for _, name in columns_named(shown, root.table, selects.catalog))
            case RelatedRow() | RelatedRows() | RelatedAggregate():
                needed |= {local for local, _ in tracked.relationships[item.relationship].columns}
            case ComputedFieldValue() | ComputedRows():
                return None
    return None if ANYTHING in needed else needed


def answer_plan(selects: Selects, root: WriteRoot, rows: Bound, affected: Bound | None = None) -> Plan:
    """The field's value, from the list of written rows that statements before it gave."""
    tracked = selects.catalog[root.table]
    count = None if affected is None else sa.cast(selects.parameters(affected), Native(PgType("int8")))
    listed = rows_kept(tracked.table, selects.parameters(rows))
    return selects.plan(written_answer(selects, WrittenRows(tracked, listed, count), root))


def written_answer(selects: Selects, written: WrittenRows, root: WriteRoot) -> Json:
    lists = [held_by_list(part.selection, written.tracked, selects.catalog) for part in root.response if isinstance(part, Returning)]
    selects.hold(sum(lists, held_by_row(root.selection, written.tracked, selects.catalog)))
    if root.kind in _ONE_ROW:
        return json_row(_rows(selects, written, root.selection))
    return json_object([(part.key, _response(selects, written, part)) for part in root.response])


def _response(selects: Selects, written: WrittenRows, part: ResponsePart) -> Json:
    match part:
        case Typename(_, name):
            return text_value(name)
        case AffectedRows() if written.affected is not None:
            return written.affected
        case AffectedRows():
            return counted(selects, written.rows)
        case Returning(_, selection):
            return growing_rows(_rows(selects, written, selection), selects.shares.of_list(selection), selects.name("rows"))


def counted(selects: Selects, rows: sa.FromClause) -> Json:
    return sa.select(sa.func.count()).select_from(rows.alias(selects.name("written"))).scalar_subquery()


def _rows(selects: Selects, written: WrittenRows, selection: Selection) -> NamedRows:
    """Hasura: columns by the select permission, rows as they were written, unfiltered."""
    tracked = written.tracked
    alias = written.rows.alias(selects.name(tracked.graphql_name))
    source = RowSource(tracked, alias, None)
    return subselect(selects.name("row"), columns_of(selects.row_items(source, selection)), alias)


def nothing_written(root: WriteRoot) -> Json:
    """The answer of a mutation without rows."""
    if root.kind in _ONE_ROW:
        return sa.cast(sa.null(), sa.JSON())
    zero: Json = sa.literal_column("0")
    values: dict[type, Json] = {AffectedRows: zero, Returning: EMPTY_LIST}
    items = [(part.key, text_value(part.name) if isinstance(part, Typename) else values[type(part)]) for part in root.response]
    return json_object(items)
