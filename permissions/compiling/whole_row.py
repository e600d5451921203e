"""A row of a FROM as one value, for functions that take it."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import _truncated_label

from permissions.compiling.filled_text import NamedRows
from permissions.compiling.named_table import NamedTable
from permissions.compiling.outer_column import outer
from schema.sql_types import DIALECT

# The column of a fenced subselect that holds the whole row. No column of a table that GraphQL can name looks like this.
ROW: Final = "0_row"


class RowType(sa.types.UserDefinedType[Any]):
    """A table's row type."""

    cache_ok = True

    def __init__(self, table: sa.Table) -> None:
        self.table = table

    def get_col_spec(self, **_: Any) -> str:
        return DIALECT.identifier_preparer.format_table(self.table)


class _WholeRow(sa.ColumnElement[Any]):
    """Renders as `"alias".*`, and brings no table into a FROM. The bare name would mean a column where one is called like the table."""

    inherit_cache = False

    def __init__(self, from_: sa.FromClause, type_: RowType) -> None:
        self.from_, self.type = from_, type_


def whole_row(from_: sa.FromClause, table: sa.Table) -> sa.ColumnElement[Any]:
    """The row of `from_` as a value of the row type of `table`, whose columns it has."""
    type_ = RowType(table)
    if isinstance(from_, sa.Subquery | NamedRows) and ROW in from_.columns:
        return outer(from_.columns[ROW])
    if isinstance(from_, NamedTable) or not isinstance(from_, sa.CTE | sa.Subquery | NamedRows):
        return _WholeRow(from_, type_)
    # Of a subselect PostgreSQL knows the columns, but not whose they are; and that of an upsert has one more.
    if len(from_.columns) == len(table.columns):
        return sa.cast(_WholeRow(from_, type_), type_)
    return sa.cast(sa.func.row(*[outer(from_.columns[column.key]) for column in table.columns]), type_)


@compiles(_WholeRow)
def _render(element: _WholeRow, compiler: SQLCompiler, **_: Any) -> str:
    name: str = element.from_.name  # type: ignore[attr-defined]
    if isinstance(name, _truncated_label):
        name = compiler._truncated_identifier("alias", name)
    return f"{compiler.preparer.quote(name)}.*"
