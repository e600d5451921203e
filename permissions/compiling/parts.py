"""The parts of a boolean expression, each with the table whose rows it is asked of."""

from collections.abc import Iterator

from permissions.expressions import AggregatePredicate, And, Exists, Expression, Not, Or, Redacted, Related, Returned, Rule
from schema.model import Catalog, TableName

Part = tuple[Expression, TableName]


def parts(expression: Expression, table: TableName, catalog: Catalog) -> Iterator[Part]:
    """The expression itself first, which is asked of rows of `table`; then whatever it is made of."""
    yield expression, table
    for inner, asked_of in _within(expression, table, catalog):
        yield from parts(inner, asked_of, catalog)


def _within(expression: Expression, table: TableName, catalog: Catalog) -> Iterator[Part]:
    match expression:
        case And(terms) | Or(terms):
            yield from ((term, table) for term in terms)
        case Not(term):
            yield term, table
        case Rule(first, second) | Redacted(first, second):
            yield first, table
            yield second, table
        case Related(relationship, where):
            yield where, catalog[table].relationships[relationship].target
        case AggregatePredicate(relationship=relationship, where=where, cells=cells):
            target = catalog[table].relationships[relationship].target
            yield where, target
            yield from ((shown, target) for _, shown in cells if shown is not None)
        case Returned(field, where):
            yield where, catalog[table].computed_fields[field].function.table
        case Exists(other, where):
            yield where, other
