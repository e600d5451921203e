"""The GraphQL types of a table's aggregates: what can be counted, summed and ordered by."""

from collections.abc import Iterator

from schema.model import Column, ComputedField, PgType, TrackedTable
from schema.table_types.definitions import Definitions, Element, argument, key, output
from schema.table_types.function_arguments import computed_field_arguments
from schema.table_types.meaning import AggregateFunction, Argument, OfColumn, OfComputedField, Part
from schema.table_types.scalars import BOOLEAN, FLOAT, INT, NUMERIC, ORDERED, UNSORTED
from schema.type_names import AGGREGATES

EXTREMES = ("max", "min")
STATISTICS = ("avg", "stddev", "stddev_pop", "stddev_samp", "var_pop", "var_samp", "variance")


def aggregated_columns(table: TrackedTable, function: str) -> list[Column]:
    """The columns an aggregate function takes: numbers, for `max` and `min` whatever PostgreSQL has them for."""
    return [column for column in table.columns.values() if _takes(function, column.type)]


def aggregated_fields(table: TrackedTable, function: str) -> list[tuple[ComputedField, PgType]]:
    """The computed fields that it takes, with the type of their value."""
    valued = [(field, field.type) for field in table.computed_fields.values() if field.type is not None]
    return [(field, type_) for field, type_ in valued if _takes(function, type_)]


def _takes(function: str, type_: PgType) -> bool:
    if function in EXTREMES:
        # Of uuids the service makes them itself where PostgreSQL has none.
        return type_.enum_table is None and (_has(function, type_) or (type_.name == "uuid" and not type_.is_array))
    return type_.name in NUMERIC and not type_.is_array and _has(function, type_)


def _has(function: str, type_: PgType) -> bool:
    """Whether PostgreSQL has the function; without a database what all of them have."""
    if type_.aggregates is not None:
        return function in type_.aggregates
    if function in EXTREMES:
        return type_.is_enum or (type_.name not in UNSORTED if type_.is_array else type_.name in ORDERED)
    return type_.name != "money" or function == "sum"


def define_aggregates(definitions: Definitions, table: TrackedTable) -> None:
    naming, base = definitions.naming, table.base
    fields = [_count(definitions, table)]
    orders = [key("count", definitions["order_by"] | None, Part("count", table.name))]
    for function in AGGREGATES:
        columns = aggregated_columns(table, function)
        if columns or aggregated_fields(table, function):
            values = definitions.object_type(
                naming.type_name(base, f"{function}_fields"),
                _values(definitions, table, function),
                description=f"aggregate {naming.field(function)} on columns",
            )
            fields.append(output(naming.field(function), values | None, AggregateFunction(function, table.name)))
        if columns:
            order_name = naming.type_name(base, f"{function}_order_by")
            order = definitions.input(
                order_name, _orders(definitions, table, function), description=f'order by {function}() on columns of table "{table.name}"'
            )
            orders.append(key(naming.field(function), order | None, AggregateFunction(function, table.name)))
    definitions.object_type(naming.type_name(base, "aggregate_fields"), fields, description=f'aggregate fields of "{table.name}"')
    definitions.input(
        naming.type_name(base, "aggregate_order_by"), orders, description=f'order by aggregate values of table "{table.name}"'
    )
    rows = _aggregate(definitions, table)
    definitions.object_type(naming.type_name(base, "aggregate"), rows, description=f'aggregated selection of "{table.name}"')


def _aggregate(definitions: Definitions, table: TrackedTable) -> Iterator[Element]:
    yield output("aggregate", definitions.of(table, "aggregate_fields") | None, Part("aggregate", table.name))
    yield output("nodes", definitions.of(table).listed, Part("nodes", table.name))


def _count(definitions: Definitions, table: TrackedTable) -> Element:
    columns = definitions.of(table, "select_column")
    arguments = [
        argument("columns", columns.listed | None, Argument("columns")),
        argument("distinct", BOOLEAN | None, Argument("distinct")),
    ]
    return output("count", INT, Part("count", table.name), arguments=arguments)


def _values(definitions: Definitions, table: TrackedTable, function: str) -> Iterator[Element]:
    for column in aggregated_columns(table, function):
        type_ = FLOAT if function in STATISTICS else definitions.value(column.type)
        yield output(column.graphql_name, type_ | None, OfColumn(table.name, column.name))
    for field, pg_type in aggregated_fields(table, function):
        type_ = FLOAT if function in STATISTICS else definitions.value(pg_type)
        arguments = computed_field_arguments(definitions, table, field)
        meaning = OfComputedField(table.name, field.name)
        yield output(field.name, type_ | None, meaning, arguments=arguments, description=field.comment)


def _orders(definitions: Definitions, table: TrackedTable, function: str) -> Iterator[Element]:
    for column in aggregated_columns(table, function):
        yield key(column.graphql_name, definitions["order_by"] | None, OfColumn(table.name, column.name))
