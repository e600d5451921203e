"""A column of an enclosing statement, inside a subquery."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from permissions.compiling.filled_text import FilledText


class OuterColumn(sa.ColumnElement[Any]):
    """Renders as the column and brings no table into the subquery's FROM.

    SQLAlchemy finds out by itself what a subquery correlates, but only inside a SELECT: in the RETURNING of an INSERT, or when
    the condition is compiled alone, it would list the outer table again, and the condition would speak of any of its rows.
    """

    inherit_cache = True
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - SQLAlchemy's own form

    def __init__(self, column: sa.ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


def outer(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The column from inside; text brings nothing along as it is."""
    return column if isinstance(column, FilledText) else OuterColumn(column)


@compiles(OuterColumn)
def _render(element: OuterColumn, compiler: SQLCompiler, **kwargs: Any) -> str:
    rendered: str = compiler.process(element.column, **kwargs)
    return rendered
