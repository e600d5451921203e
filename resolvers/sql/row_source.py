"""Rows of a table, or of a function, in a FROM, the fence between a rule and what could tell of hidden rows, and which sorts could."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from permissions.compiling.filled_text import FilledText, NamedRows
from permissions.compiling.function_call import Given, call, returned_rows
from permissions.compiling.outer_column import outer
from permissions.compiling.select_text import ONCE, Conditions, Page, subselect
from permissions.compiling.whole_row import ROW, RowType, whole_row
from permissions.expressions import Expression, WholeSession
from resolvers.ir import AggregateValues, Arguments, Call, ColumnField, ComputedFieldValue, Count, FunctionValues, OrderBy
from resolvers.sql.json_values import Json
from resolvers.sql.parameters import Parameters
from schema.model import Relationship, SqlFunction, TrackedTable
from schema.sql_types import Native, comparable

_BOOLEAN: Final = sa.Boolean()


@dataclass(frozen=True, slots=True)
class RowSource:
    """`answered` is the filter that all rows passed; None for rows just written."""

    tracked: TrackedTable
    from_: sa.FromClause
    answered: Expression | None

    def column(self, name: str) -> Json:
        column: Json = self.from_.columns[name]
        return column

    def comparable(self, name: str) -> Json:
        """The same as `=` takes it."""
        return comparable(self.column(name), self.tracked.table, name)

    def whole(self) -> Json:
        """The row as one value, for functions."""
        return whole_row(self.from_, self.tracked.table)


@dataclass(frozen=True, slots=True)
class Join:
    """How a related row finds its parent."""

    parent: RowSource
    relationship: Relationship

    def conditions(self, rows: RowSource) -> list[sa.ColumnElement[bool]]:
        """The columns of the relationship as equalities with the parent row of the enclosing statement."""
        pairs = [(rows.comparable(remote), self.parent.comparable(local)) for local, remote in self.relationship.columns]
        return [FilledText(_BOOLEAN, [remote, " = ", outer(local)]) for remote, local in pairs]


@dataclass(slots=True)
class Called:
    """A call whose rows stand where a table would; `parent` is the row that it is about.

    What a volatile function returns is made once, however often the statement looks at it.
    """

    function: SqlFunction
    given: Call
    parent: RowSource | None = None
    _once: sa.CTE | None = None

    def rows(self, tracked: TrackedTable, name: str, parameters: Parameters) -> NamedFromClause:
        """The rows under an alias."""
        made = called(self.function, self.given, parameters, self.parent)
        if not self.function.is_volatile:
            return returned_rows(made, tracked, name)
        if self._once is None:
            rows = returned_rows(made, tracked, f"{name}_rows"[:60])
            # PostgreSQL would look through a subselect, and call again.
            once = sa.select(*rows.columns).select_from(rows).cte(f"{name}_once"[:60])
            self._once = once.prefix_with("MATERIALIZED", dialect="postgresql")
        return self._once.alias(name)


def called(function: SqlFunction, given: Call, parameters: Parameters, row: RowSource | None) -> sa.sql.functions.Function[Json]:
    """The call with the request's values; null is given as it is."""
    values: Given = {
        parameter.graphql_name: sa.cast(sa.null() if value is None else parameters(value), Native(parameter.type))
        for parameter in function.given
        if parameter.graphql_name in given
        for value in (given[parameter.graphql_name],)
    }
    asks = any(parameter.kind == "session" for parameter in function.parameters)
    return call(function, values, parameters(WholeSession()) if asks else None, None if row is None else row.whole())


def fenced(tracked: TrackedTable, alias: sa.FromClause, conditions: Conditions, name: str, page: Page = ONCE) -> NamedRows:
    """The rows of `alias` that `conditions` keep, or a page of them, decided before anything that stands outside.

    PostgreSQL moves no condition into a subselect with an OFFSET, a LIMIT or an order, and merges none with what is around it.
    """
    columns: list[tuple[str, Json]] = [(column.name, alias.columns[column.name]) for column in tracked.table.columns]
    # Of a page the row is made outside: here PostgreSQL would make it of every row, long values and all, and sort it.
    if tracked.computed_fields and page is ONCE:
        columns.append((ROW, sa.cast(whole_row(alias, tracked.table), RowType(tracked.table))))
    return subselect(name, columns, alias, conditions, page)


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
            case FunctionValues(_, _, columns) if any(isinstance(c, ComputedFieldValue) for c in columns):
                return True
            case FunctionValues(_, _, columns) if values_tell(tracked, [c.column for c in columns if isinstance(c, ColumnField)]):
                return True
    return False


def values_tell(tracked: TrackedTable, columns: Iterable[str]) -> bool:
    """Whether sorting one of the columns could tell of its values."""
    return not all(tracked.columns[column].leakproof.sorting for column in columns)


def _is_plain(by: OrderBy) -> bool:
    return not by.relationships and by.aggregate is None and by.computed is None
