"""Rows as a JSON list that is no larger than an answer may be. What stands around the rows is always the same: it is text."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.types import NULLTYPE

from permissions.compiling.filled_text import FilledText, NamedRows, Piece
from resolvers.sql.json_values import NO_ELEMENTS, Json, whole_row
from resolvers.sql.size.answer_size import FEW, HEADER, TOO_LARGE

# Between two elements of a list, and around all of them together.
_SEPARATOR: Final = 2


def checked_rows(rows: NamedRows, largest: int, name: str) -> Json:
    """All rows of a subselect as a JSON list, in their order; for rows that are few or short."""
    listed = f'"{name}".list'
    checked = _checked(listed, f"pg_column_size({listed})", largest + HEADER)
    row = whole_row(rows)
    gathered = (f"(SELECT coalesce(json_agg({row}), {NO_ELEMENTS}) AS list FROM ", rows, f') AS "{name}"')  # noqa: S608 - names of ours
    return FilledText(NULLTYPE, [f"(SELECT {checked} FROM ", *gathered, ")"])  # noqa: S608 - names and numbers of ours


def growing_rows(rows: NamedRows, largest: int, name: str) -> Json:
    """The same for rows that may be large: it ends with the row that is too much."""
    return FilledText(NULLTYPE, _growing(rows, largest, name))


def short_or_growing_rows(first: NamedRows, rows: NamedRows, largest: int, name: str) -> Json:
    """The same as `growing_rows` where lists are usually short: `first` are the first `FEW` rows, and all others are not looked at.

    Keeping a running sum costs PostgreSQL as much as reading three rows. Of the first ones none is gathered that is more than its part.
    """
    each = f'"{name}_first"'
    size, part = f"pg_column_size({each}.row)", largest // FEW
    are_all = f"count(*) < {FEW} AND coalesce(max({size}), 0) <= {part}"
    gathered = f"coalesce(json_agg({each}.row) FILTER (WHERE {size} <= {part}), {NO_ELEMENTS})"
    begins = f"(SELECT CASE WHEN ({are_all}) THEN {gathered} ELSE "
    return FilledText(NULLTYPE, [begins, *_growing(rows, largest, name), " END FROM ", *_each(first, each), ")"])


def _growing(rows: NamedRows, largest: int, name: str) -> Sequence[Piece]:
    each, summed = f'"{name}_each"', f'"{name}_sum"'
    # A row of less than 127 bytes has a header of one here, and counts three bytes less: `most_rows` knows.
    so_far = f"sum(pg_column_size({each}.row) - {HEADER - _SEPARATOR}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    gathered = f"coalesce(json_agg({_checked(f'{summed}.row', f'{summed}.size', largest)}), {NO_ELEMENTS})"
    begins = f"(SELECT {gathered} FROM (SELECT {each}.row AS row, {so_far} AS size FROM "  # noqa: S608 - names and numbers of ours
    return [begins, *_each(rows, each), f") AS {summed})"]


def _each(rows: NamedRows, name: str) -> Sequence[Piece]:
    """A subselect of each row as JSON. OFFSET 0: PostgreSQL makes it once, however often it is named above."""
    return [f"(SELECT to_json({whole_row(rows)}) AS row FROM ", rows, f" OFFSET 0) AS {name}"]  # noqa: S608 - names of ours


def _checked(value: str, size: str, largest: int) -> str:
    """A value, or PostgreSQL's error when its size is more: that of a number that is none."""
    return f"CASE WHEN ({size} > {largest}) THEN to_json(CAST('{TOO_LARGE}' || CAST({size} AS TEXT) AS INTEGER)) ELSE {value} END"
