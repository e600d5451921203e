"""Which tables a boolean expression looks at."""

from collections.abc import Iterator

from permissions.expressions import AggregatePredicate, And, Exists, Expression, Not, Or, Redacted, Related, Returned, Rule
from schema.model import Catalog, TableName


def tables_of(expression: Expression, table: TableName, catalog: Catalog) -> Iterator[TableName]:
    """The tables that decide on a row of `table`, besides itself."""
    match expression:
        case And(terms) | Or(terms):
            for term in terms:
                yield from tables_of(term, table, catalog)
        case Not(term):
            yield from tables_of(term, table, catalog)
        case Rule(where, asked):
            yield from tables_of(where, table, catalog)
            yield from tables_of(asked, table, catalog)
        case Redacted(shown, _):
            yield from tables_of(shown, table, catalog)
        case Related(relationship, where):
            target = catalog[table].relationships[relationship].target
            yield target
            yield from tables_of(where, target, catalog)
        case AggregatePredicate(relationship=relationship, where=where, cells=cells):
            target = catalog[table].relationships[relationship].target
            yield target
            yield from tables_of(where, target, catalog)
            for _, rule in cells:
                if rule is not None:
                    yield from tables_of(rule, target, catalog)
        case Returned(field, where):
            # What else the function looks at nobody knows; a live query looks again every second anyway.
            target = catalog[table].computed_fields[field].function.table
            yield target
            yield from tables_of(where, target, catalog)
        case Exists(other, where):
            yield other
            yield from tables_of(where, other, catalog)
