"""The first rows of each branch of a rule, and of all of them together: `rule_branches.py` says which branches there are."""

from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from permissions.compiling.bool_exp import shortcut
from permissions.compiling.named_table import NamedTable
from permissions.compiling.outer_column import outer
from permissions.compiling.parts import parts
from permissions.expressions import Expression, Related, Rule
from resolvers.ir import Arguments, OrderBy
from resolvers.sql.json_values import Json
from resolvers.sql.parameters import Parameters
from resolvers.sql.row_source import RowSource
from resolvers.sql.rule_branches import Branch
from schema.model import Catalog, PgType, TableName, TrackedTable
from schema.sql_types import Native

_BIGINT = Native(PgType("int8"))


class Statement(Protocol):
    """What is compiled: `Selects`."""

    catalog: Catalog
    parameters: Parameters
    tables: set[TableName]

    def name(self, what: str) -> str: ...
    def rows_of(self, tracked: TrackedTable, from_: sa.FromClause) -> RowSource: ...
    def visible(self, source: RowSource, filter_: Expression, where: Expression) -> list[sa.ColumnElement[bool]]: ...
    def condition(self, expression: Expression, source: RowSource) -> sa.ColumnElement[bool]: ...
    def order(self, source: RowSource, by: OrderBy) -> Any: ...


def among_first(
    statement: Statement, source: RowSource, branches: Sequence[Branch], arguments: Arguments, page: int | None
) -> sa.ColumnElement[bool]:
    """Whether a row is among the first of all branches, as many as the page and those before it: so many of each hold them."""
    tracked = source.tracked
    of_each = sa.union(*[_first_of(statement, tracked, branch, arguments, page) for branch in branches])
    rows = statement.rows_of(tracked, of_each.subquery(statement.name("branches")))
    first = _first(statement, sa.select(*map(rows.comparable, tracked.primary_key)), rows, arguments, page)
    return sa.tuple_(*map(source.comparable, tracked.primary_key)).in_(first)


def _first_of(statement: Statement, tracked: TrackedTable, branch: Branch, arguments: Arguments, page: int | None) -> sa.Select[Any]:
    """The first rows of a branch, with what they are sorted by; below a relationship the first of those below each of its rows."""
    source = statement.rows_of(tracked, NamedTable(tracked.table, statement.name("branch")))
    visible = statement.visible(source, branch.condition, arguments.where)
    names = dict.fromkeys([*tracked.primary_key, *[by.column or "" for by in arguments.order_by]])
    selected = sa.select(*map(source.column, names)).where(*visible)
    if branch.way is None:
        return _first(statement, selected, source, arguments, page)
    local, values = _values(statement, tracked, branch.way)
    (value,) = values.columns
    below = selected.where(source.comparable(local) == outer(value))
    each = _first(statement, below, source, arguments, page).lateral(statement.name("first"))
    rows = statement.rows_of(tracked, each)
    first = sa.select(*each.columns).select_from(values.join(each, sa.true()))
    return _first(statement, first, rows, arguments, page)


def _values(statement: Statement, tracked: TrackedTable, way: Related) -> tuple[str, sa.Subquery]:
    """The column that leads to the rows of a relationship, and the values which those have for which its condition holds.

    Each value once, however many rows have it: so each row below it comes once.
    """
    statement.tables.update(table for _, table in parts(way, tracked.name, statement.catalog))
    related = tracked.relationships[way.relationship]
    if shorter := shortcut(related, way.where, statement.catalog):
        pairs, target, where = shorter
    else:
        pairs, target, where = related.columns, statement.catalog[related.target], way.where
    ((local, remote),) = pairs
    above = RowSource(target, NamedTable(target.table, statement.name("above")), None)
    value = above.comparable(remote)
    found = sa.select(value.label("value")).where(value.is_not(None), statement.condition(Rule(where), above)).distinct()
    return local, found.subquery(statement.name("values"))


def _first(statement: Statement, rows: sa.Select[Any], source: RowSource, arguments: Arguments, page: int | None) -> sa.Select[Any]:
    length: Json = sa.literal_column(str(page))
    if arguments.offset is not None:
        length = length + sa.cast(statement.parameters(arguments.offset), _BIGINT)
    return rows.order_by(*[statement.order(source, by) for by in arguments.order_by]).limit(length)
