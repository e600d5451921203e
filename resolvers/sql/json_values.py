"""The JSON shapes that every statement is made of: literals, objects, rows and lists of rows."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import NULLTYPE

from permissions.compiling.filled_text import FilledText, Piece
from resolvers.root_keys import nested

Json = sa.ColumnElement[Any]
Items = Sequence[tuple[str, Json]]

# PostgreSQL cuts identifiers at 63 bytes and target lists at 1,664 entries; functions take 100 arguments.
_MAX_LABEL = 63
_MAX_COLUMNS = 1_600
_MAX_PAIRS = 50

NO_ELEMENTS: Final = "CAST('[]' AS json)"
EMPTY_LIST: Json = sa.literal_column(NO_ELEMENTS)
FALSE_JSON: Json = sa.literal_column("CAST('false' AS json)")


def text_literal(text: str) -> Json:
    """A text of ours as a literal: PostgreSQL sees it when it plans."""
    escaped = text.replace("'", "''")
    return sa.literal_column(f"'{escaped}'")


def text_value(text: str) -> Json:
    """A text of ours as a value of the answer: `__typename`."""
    return sa.cast(text_literal(text), sa.Text())


def json_object(items: Items) -> Json:
    """A JSON object of any number of keys, in order."""
    if len(items) <= _MAX_PAIRS:
        return sa.func.json_build_object(*[part for key, value in items for part in (text_literal(key), value)])
    pairs = sa.values(sa.column("key", sa.Text()), sa.column("value", sa.JSON()), name="pairs")
    rows = pairs.data([(sa.cast(text_literal(key), sa.Text()), sa.func.to_json(value)) for key, value in items])
    return sa.select(sa.func.json_object_agg(rows.c.key, rows.c.value)).scalar_subquery()


def response_object(values: Items) -> Json:
    """The response that says this, by the keys of root fields."""
    return json_object([("data", json_object(nested(values, json_object)))])


def columns_of(items: Items) -> list[Any]:
    """The target list of a subselect that `whole_row` turns into JSON; one object when names or numbers exceed a target list."""
    if len(items) <= _MAX_COLUMNS and all(len(key) <= _MAX_LABEL for key, _ in items):
        return [value.label(key) for key, value in items]
    return [json_object(items).label(_OBJECT)]


def whole_texts(text: Json) -> Json:
    """A target list of one text, which is the row for `whole_row`."""
    return text.label(_OBJECT)


def whole_row(rows: sa.Subquery | sa.CTE) -> Json:
    """A row of a subselect made by `columns_of`, as PostgreSQL turns it into JSON."""
    return rows.c[_OBJECT] if _is_object(rows) else rows.table_valued()


def _is_object(rows: sa.Subquery | sa.CTE) -> bool:
    """What the subselect selects tells, without a column made for each of it."""
    return isinstance(rows.element, sa.Select) and any(getattr(column, "name", None) == _OBJECT for column in rows.element.inner_columns)


# No response key can look like this: GraphQL names don't start with a digit.
_OBJECT = "0_object"


def json_row(rows: sa.Subquery) -> Json:
    """The single row of a subselect as a JSON object, or null."""
    row = whole_row(rows)
    made: tuple[Piece, ...] = (row,) if _is_object(rows) else ("row_to_json(", row, ")")
    return FilledText(NULLTYPE, ["(SELECT ", *made, " FROM ", rows, ")"])
