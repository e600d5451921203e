"""Comparison inputs (`Int_comparison_exp`, …): which operators a type has, by Hasura's lists; and those of related rows' aggregates.

The latter as in Hasura's `GraphQL/Schema/BoolExp/AggregationPredicates.hs`, which writes the functions alike in every naming convention.
"""

from collections.abc import Iterator
from typing import Any

from strawberry.types.field import StrawberryField

from schema.model import Column, PgType, TrackedTable
from schema.naming import Naming
from schema.table_types.definitions import Definitions, key, listed
from schema.table_types.meaning import AggregateFunction, Argument, Comparison, OfColumn, Operand
from schema.table_types.scalars import TEXTUAL, annotation
from schema.type_names import PREDICATE_FUNCTIONS, comparison_name, scalar_name

_VALUE = ("_eq", "_neq", "_gt", "_lt", "_gte", "_lte")
_LIST = ("_in", "_nin")
_TEXT = ("_like", "_nlike", "_ilike", "_nilike", "_similar", "_nsimilar", "_regex", "_nregex", "_iregex", "_niregex")
_CONTAINS = ("_contains", "_contained_in")

# `json` has no equality in PostgreSQL, so Hasura has no comparison for it.
INCOMPARABLE = frozenset({"json", "xml", "point", "line", "polygon"})


def comparison(definitions: Definitions, type_: PgType) -> object:
    """The comparison input of a type, defined once."""
    name = comparison_name(definitions.naming, type_)
    if name not in definitions:
        named = scalar_name(type_.name) if type_.enum_table is None else type_.enum_table.name
        description = f"Boolean expression to compare columns of type \"{named}\". All fields are combined with logical 'AND'."
        definitions.input(name, _operators(definitions.naming, type_), description=description)
    return definitions[name]


def _operators(naming: Naming, type_: PgType) -> Iterator[StrawberryField]:
    def operator(name: str, type_: Any, operand: Operand = "value") -> StrawberryField:
        return key(naming.field(name), type_ | None, Comparison(name, operand))

    value: Any = annotation(type_)
    if type_.enum_table is not None:
        # As in Hasura the values of an enum have no order.
        yield from (operator("_eq", value), operator("_neq", value))
        yield from (operator("_in", listed(value), "list"), operator("_nin", listed(value), "list"))
        yield operator("_is_null", bool, "boolean")
        return
    for name in _VALUE:
        yield operator(name, value)
    for name in _LIST:
        yield operator(name, listed(value), "list")
    yield operator("_is_null", bool, "boolean")
    if type_.is_array or type_.name == "jsonb":
        for name in _CONTAINS:
            yield operator(name, value)
    elif type_.name in TEXTUAL:
        for name in _TEXT:
            yield operator(name, value)
    if type_.name == "jsonb" and not type_.is_array:
        yield operator("_has_key", str, "text")
        for name in ("_has_keys_any", "_has_keys_all"):
            yield operator(name, list[str], "texts")


def define_aggregate_predicates(definitions: Definitions, table: TrackedTable) -> None:
    """What `where` may ask of rows of `table` below another row: `books_aggregate: {count: {predicate: {_gt: 3}}}`."""
    definitions.input(definitions.naming.type_name(table.base, "aggregate_bool_exp"), _functions(definitions, table))


def _functions(definitions: Definitions, table: TrackedTable) -> Iterator[StrawberryField]:
    columns: Any = listed(definitions.of(table, "select_column"))
    yield _function(definitions, table, "count", columns | None)
    truths = [column for column in table.columns.values() if column.type == PREDICATE_FUNCTIONS["bool_and"]]
    for function in ("bool_and", "bool_or") if truths else ():
        yield _function(definitions, table, function, _truths(definitions, table, function, truths))


def _truths(definitions: Definitions, table: TrackedTable, function: str, columns: list[Column]) -> Any:
    """The columns that are true or false. Hasura has one such type for each function."""
    words = f"{table.base}_aggregate_bool_exp_{function}_arguments_columns"
    return definitions.enum(
        definitions.naming.type_name(table.base, f"select_column_{words}"),
        [(column.graphql_name, OfColumn(table.name, column.name)) for column in columns],
        description=f'select "{words}" columns of table "{table.name}"',
        describe=lambda _: "column name",
    )


def _function(definitions: Definitions, table: TrackedTable, function: str, arguments: Any) -> StrawberryField:
    name = definitions.naming.type_name(table.base, f"aggregate_bool_exp_{function}")
    type_ = definitions.input(name, _parts(definitions, table, function, arguments))
    return key(function, type_ | None, AggregateFunction(function, table.name))


def _parts(definitions: Definitions, table: TrackedTable, function: str, arguments: Any) -> Iterator[StrawberryField]:
    yield key("arguments", arguments, Argument("arguments"))
    yield key("distinct", bool | None, Argument("distinct"))
    yield key("filter", definitions.of(table, "bool_exp") | None, Argument("filter"))
    yield key("predicate", comparison(definitions, PREDICATE_FUNCTIONS[function]), Argument("predicate"))
