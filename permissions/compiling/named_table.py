"""A table under a name of ours, in a FROM.

An alias of SQLAlchemy's makes each of the table's columns anew, with all that a column of a table may have: that took a third of the time
of a statement. Here they are names with types.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class NamedTable(sa.TableClause):
    """Renders as `schema.table AS "name"`, and its columns as `"name".column`."""

    inherit_cache = False

    def __init__(self, table: sa.Table, name: str) -> None:
        super().__init__(name, *[sa.column(column.name, column.type) for column in table.columns])
        self.original = table


@compiles(NamedTable)
def _render(element: NamedTable, compiler: SQLCompiler, *, asfrom: bool = False, **_: Any) -> str:
    return f"{compiler.preparer.format_table(element.original)} AS {compiler.preparer.quote(element.name)}" if asfrom else ""
