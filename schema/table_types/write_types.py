"""The GraphQL types of one table that writing needs."""

from functools import partial

from schema.model import TrackedTable
from schema.table_types.definitions import Definitions, key, listed, output
from schema.table_types.meaning import OfColumn, Part
from schema.table_types.scalars import annotation


def define_writes(definitions: Definitions, table: TrackedTable) -> None:
    named, columns = partial(definitions.naming.type_name, table.base), table.columns.values()
    inserted = [key(c.graphql_name, annotation(c.type) | None, OfColumn(table.name, c.name, "insert")) for c in columns]
    definitions.input(named("insert_input"), inserted, description=f'input type for inserting data into table "{table.name}"')
    updated = [key(c.graphql_name, annotation(c.type) | None, OfColumn(table.name, c.name, "update")) for c in columns]
    definitions.input(named("set_input"), updated, description=f'input type for updating data in table "{table.name}"')
    if table.primary_key:
        pk = [table.columns[column] for column in table.primary_key]
        fields = [key(c.graphql_name, annotation(c.type), OfColumn(table.name, c.name)) for c in pk]
        definitions.input(named("pk_columns_input"), fields, description=f"primary key columns input for table: {table.graphql_name}")
    affected, returning = Part("affected_rows", table.name), Part("returning", table.name)
    affected_rows, rows = definitions.naming.field("affected_rows"), listed(definitions.of(table))
    response = [
        output(affected_rows, int, affected, description="number of rows affected by the mutation"),
        output("returning", rows, returning, description="data from the rows affected by the mutation"),
    ]
    definitions.object_type(named("mutation_response"), response, description=f'response of any mutation on the table "{table.name}"')
