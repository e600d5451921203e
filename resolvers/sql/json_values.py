"""The JSON shapes that every statement is made of: literals, objects, rows and lists of rows, and values as answers tell them."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import NULLTYPE

from permissions.compiling.filled_text import FilledText, NamedRows, Piece
from resolvers.root_keys import nested
from schema.model import PgType

Json = sa.ColumnElement[Any]
Items = Sequence[tuple[str, Json]]

# PostgreSQL cuts identifiers at 63 bytes and target lists at 1,664 entries; functions take 100 arguments.
_MAX_LABEL = 63
_MAX_COLUMNS = 1_600
_MAX_PAIRS = 50
_TEXT: Final = sa.Text()
# As in Hasura's `isBigNum` (`Backends/Postgres/SQL/Types.hs`); lists of them stay numbers there too.
_LONG: Final = frozenset({"int8", "numeric", "float8"})

NO_ELEMENTS: Final = "CAST('[]' AS json)"
EMPTY_LIST: Json = sa.literal_column(NO_ELEMENTS)
FALSE_JSON: Json = sa.literal_column("CAST('false' AS json)")


def text_literal(text: str) -> Json:
    """A text of ours as a literal: PostgreSQL sees it when it plans."""
    return sa.literal_column(_literal(text))


def text_value(text: str) -> Json:
    """A text of ours as a value of the answer: `__typename`."""
    return FilledText(_TEXT, [f"CAST({_literal(text)} AS TEXT)"])


def json_object(items: Items) -> Json:
    """A JSON object of any number of keys, in order."""
    if len(items) <= _MAX_PAIRS:
        pieces: list[Piece] = ["json_build_object("]
        for index, (key, value) in enumerate(items):
            pieces += (f"{', ' if index else ''}{_literal(key)}, ", value)
        return FilledText(NULLTYPE, [*pieces, ")"])
    pairs: list[Piece] = []
    for key, value in items:
        pairs += (f"{', ' if pairs else ''}(CAST({_literal(key)} AS TEXT), to_json(", value, "))")
    return FilledText(NULLTYPE, ["(SELECT json_object_agg(key, value) FROM (VALUES ", *pairs, ") AS pairs (key, value))"])


def response_object(values: Items) -> Json:
    """The response that says this, by the keys of root fields."""
    return json_object([("data", json_object(nested(values, json_object)))])


def _literal(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def columns_of(items: Items) -> Items:
    """The target list of a subselect that `whole_row` turns into JSON; one object when names or numbers exceed a target list."""
    if len(items) <= _MAX_COLUMNS and all(len(key) <= _MAX_LABEL for key, _ in items):
        return items
    return [(_OBJECT, json_object(items))]


def whole_texts(text: Json) -> Items:
    """A target list of one text, which is the row for `whole_row`."""
    return [(_OBJECT, text)]


def whole_row(rows: NamedRows) -> str:
    """A row of a subselect made by `columns_of`, as PostgreSQL turns it into JSON."""
    return f'{rows.sql_name}."{_OBJECT}"' if _OBJECT in rows.columns else rows.sql_name


# No response key can look like this: GraphQL names don't start with a digit.
_OBJECT: Final = "0_object"


def json_row(rows: NamedRows) -> Json:
    """The single row of a subselect as a JSON object, or null."""
    made = whole_row(rows) if _OBJECT in rows.columns else f"row_to_json({rows.sql_name})"
    return FilledText(NULLTYPE, [f"(SELECT {made} FROM ", rows, ")"])  # noqa: S608 - names of ours


def nested_row(rows: NamedRows) -> Json:
    """The single row of a subselect as a value of another row: an object, or null, once that is made JSON. Nothing is written twice."""
    return FilledText(NULLTYPE, [f"(SELECT {whole_row(rows)} FROM ", rows, ")"])  # noqa: S608 - names of ours


def told(value: Json, type_: PgType | None, *, as_text: bool) -> Json:
    """A value of a type, for the answer. Of an enum table it is the value's name, which the naming convention may write otherwise."""
    if type_ is not None and type_.enum_table is not None and any(name != stored for name, stored in type_.enum_table.values):
        return sa.func.upper(value)
    if as_text and type_ is not None and type_.name in _LONG and not type_.is_array:
        return sa.cast(value, sa.Text())
    return value
