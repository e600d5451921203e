"""SQL that is known but for a few places: text in which expressions of SQLAlchemy's stand.

What is always the same need not be built, and looked through, each time it stands in a statement.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

Piece = str | sa.ClauseElement
# What SQLAlchemy's compiler is told of a place in a FROM, wherever the text itself stands.
_IN_FROM: Final = {"asfrom": True, "within_columns_clause": False, "within_label_clause": False}


class FilledText(sa.ColumnElement[Any]):
    """An expression of a type; it brings no table into a FROM. A subselect among the pieces stands as it does in a FROM."""

    inherit_cache = False

    def __init__(self, type_: sa.types.TypeEngine[Any], pieces: Sequence[Piece]) -> None:
        self.type, self.pieces = type_, pieces


@compiles(FilledText)
def _render(element: FilledText, compiler: SQLCompiler, **kwargs: Any) -> str:
    return "".join([piece if isinstance(piece, str) else _piece(piece, compiler, kwargs) for piece in element.pieces])


def _piece(piece: sa.ClauseElement, compiler: SQLCompiler, kwargs: Mapping[str, Any]) -> str:
    return compiler.process(piece, **(kwargs if not isinstance(piece, sa.FromClause) else {**kwargs, **_IN_FROM}))
