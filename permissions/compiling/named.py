"""Which columns a boolean expression looks at, of which tables: whoever watches those sees when its answer may be another."""

from collections.abc import Iterator
from typing import Final

from permissions.expressions import And, Compare, Expression, Not, Or, Related, Rule
from schema.model import Catalog, TableName

NamedColumn = tuple[TableName, str]
# Of what can't be told by columns: functions, aggregates, tables that nothing relates.
ANYTHING: Final = "*"


def columns_named(expression: Expression, table: TableName, catalog: Catalog) -> Iterator[NamedColumn]:
    """The columns that decide on a row of `table`, those that relate tables among them."""
    match expression:
        case And(terms) | Or(terms):
            for term in terms:
                yield from columns_named(term, table, catalog)
        case Not(term):
            yield from columns_named(term, table, catalog)
        case Rule(where, asked):
            yield from columns_named(where, table, catalog)
            yield from columns_named(asked, table, catalog)
        case Compare(column=column):
            yield table, column
        case Related(name, where):
            related = catalog[table].relationships[name]
            for ours, theirs in related.columns:
                yield table, ours
                yield related.target, theirs
            yield from columns_named(where, related.target, catalog)
        case _:
            yield table, ANYTHING
