"""The first rows of each branch of a rule, and of all of them together: `rule_branches.py` says which branches there are."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.types import NULLTYPE

from permissions.compiling.bool_exp import shortcut
from permissions.compiling.filled_text import FilledText, NamedRows, Piece, quoted
from permissions.compiling.named_table import NamedTable
from permissions.compiling.outer_column import outer
from permissions.compiling.parts import parts
from permissions.compiling.select_text import ALL, ONCE, Page, select, subselect
from permissions.expressions import Related, Rule
from resolvers.ir import Arguments
from resolvers.sql.pages import number, ordered
from resolvers.sql.row_source import RowSource
from resolvers.sql.rule_branches import Branch
from resolvers.sql.visible_rows import VisibleRows
from schema.model import TrackedTable

_BOOLEAN: Final = sa.Boolean()


def among_first(
    statement: VisibleRows, source: RowSource, branches: Sequence[Branch], arguments: Arguments, length: int | None
) -> FilledText:
    """Whether a row is among the first of all branches, as many as the page and those before it: so many of each hold them."""
    tracked = source.tracked
    names = list(dict.fromkeys([*tracked.primary_key, *[by.column or "" for by in arguments.order_by]]))
    of_each: list[Piece] = []
    for branch in branches:
        of_each += [" UNION (" if of_each else "(", *_first_of(statement, tracked, branch, names, arguments, length), ")"]
    types = {name: source.column(name).type for name in names}
    rows = statement.rows_of(tracked, NamedRows(statement.name("branches"), ["(", *of_each, ")"], types))
    first = select(
        [[rows.comparable(column)] for column in tracked.primary_key], rows.from_, (), _first(statement, rows, arguments, length)
    )
    key = [piece for column in tracked.primary_key for piece in (", ", source.comparable(column))][1:]
    return FilledText(_BOOLEAN, ["(", *key, ") IN (", *first, ")"])


def _first_of(
    statement: VisibleRows, tracked: TrackedTable, branch: Branch, names: Sequence[str], arguments: Arguments, length: int | None
) -> list[Piece]:
    """The first rows of a branch, with what they are sorted by; below a relationship the first of those below each of its rows."""
    source = statement.rows_of(tracked, NamedTable(tracked.table, statement.name("branch")))
    visible = statement.visible(source, branch.condition, arguments.where)
    if branch.way is None:
        return select(_columns(source, names), source.from_, visible, _first(statement, source, arguments, length))
    local, values = _values(statement, tracked, branch.way)
    joined = FilledText(_BOOLEAN, [source.comparable(local), " = ", outer(values.columns["value"])])
    # Below a value of the key there is one row: nothing to be sorted.
    asked = ALL if tracked.primary_key == (local,) else _first(statement, source, arguments, length)
    each = subselect(statement.name("first"), [(name, source.column(name)) for name in names], source.from_, [joined, *visible], asked)
    below = statement.rows_of(tracked, each)
    lateral = FilledText(NULLTYPE, [values, " JOIN LATERAL ", each, " ON true"])
    # All of them before they are sorted: PostgreSQL would else walk the order of the table, for those who have many.
    all_ = subselect(statement.name("below"), [(name, below.column(name)) for name in names], lateral, (), ONCE)
    rows = statement.rows_of(tracked, all_)
    return select(_columns(rows, names), rows.from_, (), _first(statement, rows, arguments, length))


def _columns(rows: RowSource, names: Sequence[str]) -> list[Sequence[Piece]]:
    return [[rows.column(name), f" AS {quoted(name)}"] for name in names]


def _values(statement: VisibleRows, tracked: TrackedTable, way: Related) -> tuple[str, NamedRows]:
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
    holds = [FilledText(_BOOLEAN, [value, " IS NOT NULL"]), statement.condition(Rule(where), above)]
    found = select([["DISTINCT ", value, " AS value"]], above.from_, holds)
    return local, NamedRows(statement.name("values"), ["(", *found, ")"], {"value": value.type})


def _first(statement: VisibleRows, source: RowSource, arguments: Arguments, length: int | None) -> Page:
    many: list[Piece] = [str(length)] if arguments.offset is None else [f"{length} + ", number(statement, arguments.offset)]
    return Page([ordered(statement, source, by) for by in arguments.order_by], FilledText(NULLTYPE, many))
