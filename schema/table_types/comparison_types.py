"""Comparison inputs (`Int_comparison_exp`, …): which operators a type has, by Hasura's lists; and those of related rows' aggregates.

The latter as in Hasura's `GraphQL/Schema/BoolExp/AggregationPredicates.hs`, which writes the functions alike in every naming convention.
"""

from collections.abc import Iterator

from schema.model import Column, PgType, TrackedTable
from schema.operators import CASTS, OPERATORS
from schema.table_types.definitions import Definitions, Element, key
from schema.table_types.meaning import AggregateFunction, Argument, Cast, Comparison, OfColumn
from schema.table_types.scalars import BOOLEAN
from schema.type_names import PREDICATE_FUNCTIONS, TRUTH_FUNCTIONS, TypeReference, cast_name, comparison_name, scalar_name

# As in Hasura the values of an enum have no order.
_OF_ENUM = ("_eq", "_neq", "_in", "_nin", "_is_null")


def comparison(definitions: Definitions, type_: PgType) -> TypeReference:
    """The comparison input of a type, defined once."""
    name = comparison_name(definitions.naming, type_)
    if name not in definitions:
        named = scalar_name(type_.name) if type_.enum_table is None else type_.enum_table.name
        description = f"Boolean expression to compare columns of type \"{named}\". All fields are combined with logical 'AND'."
        definitions.input(name, _operators(definitions, type_), description=description)
    return definitions[name]


def _operators(definitions: Definitions, type_: PgType) -> Iterator[Element]:
    """All that Hasura has, whatever PostgreSQL says of some of them: json has no `=`."""
    named = definitions.naming.field
    if (target := CASTS.get(type_)) is not None:
        yield key(named("_cast"), _cast(definitions, type_, target) | None, Cast())
    for operator in OPERATORS.values():
        if operator.takes(type_) and (type_.enum_table is None or operator.name in _OF_ENUM):
            value = definitions.value(operator.given_type(type_))
            given = value.listed if operator.operand == "list" else value
            yield key(named(operator.name), given | None, Comparison(operator.name), description=operator.description(type_))


def _cast(definitions: Definitions, type_: PgType, target: PgType) -> TypeReference:
    compared = comparison(definitions, target)
    fields = [key(scalar_name(target.name), compared | None, Cast(target))]
    return definitions.input(cast_name(definitions.naming, type_), fields)


def define_aggregate_predicates(definitions: Definitions, table: TrackedTable) -> None:
    """What `where` may ask of rows of `table` below another row: `books_aggregate: {count: {predicate: {_gt: 3}}}`."""
    definitions.input(definitions.naming.predicate(table.base), _functions(definitions, table))


def _functions(definitions: Definitions, table: TrackedTable) -> Iterator[Element]:
    columns = definitions.of(table, "select_column").listed
    yield _function(definitions, table, "count", columns | None)
    truths = [column for column in table.columns.values() if column.type == PREDICATE_FUNCTIONS["bool_and"]]
    for function in TRUTH_FUNCTIONS if truths else ():
        yield _function(definitions, table, function, _truths(definitions, table, function, truths))


def _truths(definitions: Definitions, table: TrackedTable, function: str, columns: list[Column]) -> TypeReference:
    """The columns that are true or false. Hasura has one such type for each function."""
    naming = definitions.naming
    return definitions.enum(
        naming.predicate_columns(table.base, function),
        [(column.graphql_name, OfColumn(table.name, column.name)) for column in columns],
        description=f'select "{naming.described_columns(table.base, function)}" columns of table "{table.name}"',
        describe=lambda _: "column name",
    )


def _function(definitions: Definitions, table: TrackedTable, function: str, arguments: TypeReference) -> Element:
    name = definitions.naming.predicate_function(table.base, function)
    type_ = definitions.input(name, _parts(definitions, table, function, arguments))
    return key(function, type_ | None, AggregateFunction(function, table.name))


def _parts(definitions: Definitions, table: TrackedTable, function: str, arguments: TypeReference) -> Iterator[Element]:
    yield key("arguments", arguments, Argument("arguments"))
    yield key("distinct", BOOLEAN | None, Argument("distinct"))
    yield key("filter", definitions.of(table, "bool_exp") | None, Argument("filter"))
    yield key("predicate", comparison(definitions, PREDICATE_FUNCTIONS[function]), Argument("predicate"))
