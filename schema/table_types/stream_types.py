"""The GraphQL types of one table that streaming needs, under Hasura's names."""

from schema.model import TrackedTable
from schema.operators import INCOMPARABLE
from schema.table_types.definitions import Definitions, Element, argument, key
from schema.table_types.meaning import Argument, OfColumn
from schema.table_types.scalars import INT
from schema.type_names import ORDERING


def define_cursor_ordering(definitions: Definitions) -> None:
    """The enum that the cursors of all tables share."""
    orders = {"ASC": "ascending ordering of the cursor", "DESC": "descending ordering of the cursor"}
    definitions.enum(
        definitions.naming.source_type(ORDERING),
        [(order, order) for order in orders],
        description="ordering argument of a cursor",
        describe=orders.get,
    )


def define_stream(definitions: Definitions, table: TrackedTable) -> None:
    """What a stream of a table begins with. A column whose values have no order can't be what it goes by."""
    naming = definitions.naming
    ordered = [column for column in table.columns.values() if column.type.name not in INCOMPARABLE]
    values = [key(column.graphql_name, definitions.value(column.type) | None, OfColumn(table.name, column.name)) for column in ordered]
    initial = definitions.input(
        naming.type_name(table.base, "stream_cursor_value_input"),
        values,
        description="Initial value of the column from where the streaming should start",
    )
    fields = [
        key(naming.field("initial_value"), initial, Argument("initial_value"), description="Stream column input with initial value"),
        key("ordering", definitions[naming.source_type(ORDERING)] | None, Argument("ordering"), description="cursor ordering"),
    ]
    name = naming.type_name(table.base, "stream_cursor_input")
    definitions.input(name, fields, description=f'Streaming cursor of the table "{table.name}"')


def stream_arguments(definitions: Definitions, table: TrackedTable) -> list[Element]:
    """The arguments of a stream of `table`."""
    cursor, where = definitions.of(table, "stream_cursor_input"), definitions.of(table, "bool_exp")
    return [
        argument(
            definitions.naming.field("batch_size"),
            INT,
            Argument("batch_size"),
            description="maximum number of rows returned in a single batch",
        ),
        argument("cursor", (cursor | None).listed, Argument("cursor"), description="cursor to stream the results returned by the query"),
        argument("where", where | None, Argument("where"), description="filter the rows returned"),
    ]
