"""SQL that is known but for a few places: text in which expressions of SQLAlchemy's stand.

What is always the same need not be built, and looked through, each time it stands in a statement. Text inside text is one text, at once:
what is left for SQLAlchemy to write are the expressions that only it can.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from schema.sql_types import DIALECT

Piece = str | sa.ClauseElement
# What SQLAlchemy's compiler is told of a place, wherever the text itself stands.
_IN_FROM: Final = {"asfrom": True, "within_columns_clause": False, "within_label_clause": False}
_IN_EXPRESSION: Final = {**_IN_FROM, "asfrom": False}


class FilledText(sa.ColumnElement[Any]):
    """An expression of a type; it brings no table into a FROM. A subselect among the pieces stands as it does in a FROM."""

    inherit_cache = False

    def __init__(self, type_: sa.types.TypeEngine[Any], pieces: Sequence[Piece]) -> None:
        self.type, self.pieces = type_, joined(pieces)


class NamedRows(sa.TableClause):
    """What stands in a FROM under a name of ours: text, and so are its columns, each made when it is asked for.

    An alias of SQLAlchemy's makes each of the table's columns anew, with all that a column of a table may have: that took a third of the
    time of a statement.
    """

    inherit_cache = False

    def __init__(self, name: str, pieces: Sequence[Piece], types: Mapping[str, sa.types.TypeEngine[Any]]) -> None:
        super().__init__(name)
        self.sql_name = quoted(name)
        self.pieces = joined([*pieces, f" AS {self.sql_name}"])
        self._types = types

    @property
    def columns(self) -> "RowColumns":  # type: ignore[override]
        return RowColumns(self.sql_name, self._types)


class RowColumns(Mapping[str, FilledText]):
    """The columns of rows under a name, by their own."""

    def __init__(self, sql_name: str, types: Mapping[str, sa.types.TypeEngine[Any]]) -> None:
        self._sql_name, self._types = sql_name, types

    def __getitem__(self, name: str) -> FilledText:
        return FilledText(self._types[name], [f"{self._sql_name}.{quoted(name)}"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


def quoted(name: str) -> str:
    """An identifier, in quotes where it needs them."""
    return DIALECT.identifier_preparer.quote(name)


def joined(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """The same, the fewest that they can be."""
    made: list[Piece] = []
    text: list[str] = []
    for piece in pieces:
        for part in piece.pieces if isinstance(piece, FilledText | NamedRows) else (piece,):
            if isinstance(part, str):
                text.append(part)
                continue
            made += ("".join(text), part)
            text.clear()
    return [*made, "".join(text)]


@compiles(FilledText)
def _render(element: FilledText, compiler: SQLCompiler, **kwargs: Any) -> str:
    return _written(element.pieces, compiler, kwargs)


@compiles(NamedRows)
def _render_rows(element: NamedRows, compiler: SQLCompiler, *, asfrom: bool = False, **kwargs: Any) -> str:
    return _written(element.pieces, compiler, kwargs) if asfrom else ""


def _written(pieces: Sequence[Piece], compiler: SQLCompiler, kwargs: Mapping[str, Any]) -> str:
    return "".join([piece if isinstance(piece, str) else _piece(piece, compiler, kwargs) for piece in pieces])


def _piece(piece: sa.ClauseElement, compiler: SQLCompiler, kwargs: Mapping[str, Any]) -> str:
    return compiler.process(piece, **{**kwargs, **(_IN_FROM if isinstance(piece, sa.FromClause) else _IN_EXPRESSION)})
