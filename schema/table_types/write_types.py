"""The GraphQL types of one table that writing needs."""

from schema.model import TrackedTable
from schema.table_types.definitions import Definitions, key, listed, output
from schema.table_types.meaning import OfColumn, Part
from schema.table_types.scalars import annotation


def define_writes(definitions: Definitions, table: TrackedTable) -> None:
    name, columns = table.graphql_name, table.columns.values()
    inserted = [key(c.graphql_name, annotation(c.type) | None, OfColumn(table.name, c.name, "insert")) for c in columns]
    definitions.input(f"{name}_insert_input", inserted, description=f'input type for inserting data into table "{table.name}"')
    updated = [key(c.graphql_name, annotation(c.type) | None, OfColumn(table.name, c.name, "update")) for c in columns]
    definitions.input(f"{name}_set_input", updated, description=f'input type for updating data in table "{table.name}"')
    if table.primary_key:
        pk = [table.columns[column] for column in table.primary_key]
        fields = [key(c.graphql_name, annotation(c.type), OfColumn(table.name, c.name)) for c in pk]
        definitions.input(f"{name}_pk_columns_input", fields, description=f"primary key columns input for table: {name}")
    response = [
        output("affected_rows", int, Part("affected_rows", table.name), description="number of rows affected by the mutation"),
        output(
            "returning", listed(definitions[name]), Part("returning", table.name), description="data from the rows affected by the mutation"
        ),
    ]
    definitions.object_type(f"{name}_mutation_response", response, description=f'response of any mutation on the table "{table.name}"')
