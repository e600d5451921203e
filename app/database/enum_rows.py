"""The rows of enum tables (Hasura's `is_enum`), whose values are a GraphQL type: read once, with what else a database holds."""

from collections.abc import Iterable

import asyncpg
import sqlalchemy as sa

from schema.enum_tables import ENUM_ROWS, MOST_VALUES
from schema.model import TableName
from schema.sql_types import DIALECT

_QUOTE = DIALECT.identifier_preparer


async def note_enum_rows(connection: asyncpg.Connection, metadata: sa.MetaData, enums: Iterable[TableName]) -> None:
    """Notes in each table's `info` its rows as text, by the primary key, as far as it could be an enum."""
    for name in enums:
        table = next((t for t in metadata.tables.values() if TableName(t.schema or "public", t.name) == name), None)
        key = [] if table is None else list(table.primary_key.columns)
        if table is not None and len(key) == 1 and len(table.columns) <= 2:
            columns = [key[0], *[column for column in table.columns if column is not key[0]]]
            selected = ", ".join(f"{_QUOTE.quote(column.name)}::text" for column in columns)
            # Names of the database's own catalog, quoted.
            statement = f"SELECT {selected} FROM {_QUOTE.format_table(table)} ORDER BY 1 LIMIT {MOST_VALUES + 1}"  # noqa: S608
            rows = await connection.fetch(statement)
            table.info[ENUM_ROWS] = [(row[0], row[1] if len(columns) > 1 else None) for row in rows]
