"""Rows of a table in a FROM, the fence between a rule and what could tell of hidden rows, and which sorts could."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from permissions.compiling.outer_column import outer
from permissions.expressions import Expression
from resolvers.ir import AggregateValues, Arguments, ColumnField, Count, FunctionValues, OrderBy
from resolvers.sql.json_values import Json, RowType, row_of
from schema.model import Relationship, TrackedTable

# No column of a table that GraphQL can name looks like this.
_ROW = "0_row"


@dataclass(frozen=True, slots=True)
class RowSource:
    """`answered` is the filter that all rows passed; None for rows just written. `computed` is the value of a computed field."""

    tracked: TrackedTable
    from_: sa.FromClause
    answered: Expression | None
    computed: Callable[[str], Json]

    def column(self, name: str) -> Json:
        column: Json = self.from_.columns[name]
        return column


@dataclass(frozen=True, slots=True)
class Join:
    """How a related row finds its parent."""

    parent: RowSource
    relationship: Relationship

    def conditions(self, alias: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """The columns of the relationship as equalities with the parent row of the enclosing statement."""
        return [alias.columns[remote] == outer(self.parent.column(local)) for local, remote in self.relationship.columns]


def fenced(tracked: TrackedTable, alias: NamedFromClause, conditions: Sequence[sa.ColumnElement[bool]], name: str) -> sa.Subquery:
    """The rows of `alias` that `conditions` keep, decided before anything that stands outside.

    PostgreSQL moves no condition into a subselect with an OFFSET, and merges none with what is around it.
    """
    columns: list[Json] = [*alias.columns]
    if tracked.computed_fields:
        columns.append(sa.cast(row_of(alias), RowType(tracked.table)).label(_ROW))
    return sa.select(*columns).select_from(alias).where(*conditions).offset(sa.literal_column("0")).subquery(name)


def row_behind(fence: sa.Subquery) -> Json:
    """A fenced row as a value, for functions."""
    row: Json = fence.columns[_ROW]
    return row


def sorting_tells(arguments: Arguments, tracked: TrackedTable) -> bool:
    """Whether `order_by` or `distinct_on` compares by functions that aren't leakproof; an order by related rows may always."""
    plain = all(_is_plain(by) for by in arguments.order_by)
    return not plain or values_tell(tracked, {*arguments.distinct_on, *[by.column for by in arguments.order_by if by.column]})


def aggregate_tells(part: AggregateValues, tracked: TrackedTable) -> bool:
    """Whether a function over the rows compares, or adds up, values of a type whose comparison isn't leakproof."""
    for value in part.values:
        match value:
            case Count(_, columns, distinct) if distinct and (len(columns) > 1 or values_tell(tracked, columns)):
                return True
            case FunctionValues(_, _, columns) if values_tell(tracked, [c.column for c in columns if isinstance(c, ColumnField)]):
                return True
    return False


def values_tell(tracked: TrackedTable, columns: Iterable[str]) -> bool:
    """Whether sorting one of the columns could tell of its values."""
    return not all(tracked.columns[column].leakproof.sorting for column in columns)


def _is_plain(by: OrderBy) -> bool:
    return not by.relationships and by.aggregate is None
