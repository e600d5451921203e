"""Which columns a boolean expression looks at, of which tables: whoever watches those sees when its answer may be another."""

from collections.abc import Iterator
from typing import Final

from permissions.compiling.parts import parts
from permissions.expressions import And, Compare, Expression, Not, Or, Related, Rule
from schema.model import Catalog, TableName

NamedColumn = tuple[TableName, str]
# Of what can't be told by columns: functions, aggregates, tables that nothing relates.
ANYTHING: Final = "*"


def columns_named(expression: Expression, table: TableName, catalog: Catalog) -> Iterator[NamedColumn]:
    """The columns that decide on a row of `table`, those that relate tables among them."""
    for part, asked_of in parts(expression, table, catalog):
        match part:
            case And() | Or() | Not() | Rule():
                pass
            case Compare(column=column):
                yield asked_of, column
            case Related(name):
                related = catalog[asked_of].relationships[name]
                for ours, theirs in related.columns:
                    yield asked_of, ours
                    yield related.target, theirs
            case _:
                yield asked_of, ANYTHING
