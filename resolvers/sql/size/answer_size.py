"""How large an answer may become, held in PostgreSQL: before its bytes travel, and where it grows.

A list inside a list multiplies, so each list is checked, and one that holds others is checked row by row as it is made: nothing that
is gathered is ever much larger than an answer may be.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import NULLTYPE

from permissions.compiling.filled_text import FilledText, NamedRows, Piece
from permissions.compiling.select_text import ONCE, Conditions, scalar, subselect
from resolvers.ir import Arguments
from resolvers.sql.json_values import NO_ELEMENTS, Json

_INTEGER: Final = sa.Integer()

# In the text of PostgreSQL's error. It can't be raised but by making a statement fail: this is no integer.
TOO_LARGE: Final = "answer too large:"
# The length of a value, which PostgreSQL counts in.
HEADER: Final = 4
# So many rows of plain columns are never much.
_FEW_ROWS: Final = 1_000
# So many rows of a list inside a row are all of it, mostly.
FEW: Final = 100
# So many values side by side may be as large as the answer, each; more of them together no larger than these.
SIBLINGS: Final = 16


def checked(value: Json, largest: int) -> Json:
    """A JSON value that exists (a column, an aggregate: it is named more than once), or an error when it is larger."""
    return _unless(FilledText(_INTEGER, ["pg_column_size(", value, ")"]), largest + HEADER, value)


def too_large(size: Json) -> Json:
    """A JSON value that can't be: whoever makes it gets PostgreSQL's error."""
    # Of a value, so that PostgreSQL does not work it out beforehand.
    return FilledText(NULLTYPE, [f"to_json(CAST('{TOO_LARGE}' || CAST(", size, " AS TEXT) AS INTEGER))"])


def _unless(size: Json, largest: int, value: Json) -> FilledText:
    return FilledText(NULLTYPE, ["CASE WHEN (", size, f" > {largest}) THEN ", too_large(size), " ELSE ", value, " END"])


def checked_statement(value: Json, where: Conditions, largest: int) -> sa.Select[Any]:
    """The statement of a whole answer."""
    answer = subselect("0_answer", [("answer", value)], None, where, ONCE)
    return sa.select(checked(answer.columns["answer"], largest)).select_from(answer)


def checked_answers(answer: sa.Select[Any], each: sa.FromClause, number: Json, largest: int) -> sa.Select[Any]:
    """The answer to each row of `each`, with its number and whatever else `answer` selects beside it.

    All together are as large as one may be: it ends with the one that is too much.
    """
    one = answer.offset(sa.literal_column("0")).lateral("0_answer")
    # No order: what is sorted is gathered first. The number tells whose it is.
    so_far = sa.func.sum(sa.func.pg_column_size(one.c.answer) - sa.literal_column(str(HEADER))).over(rows=(None, 0))
    joined = each.join(one, sa.literal_column("true"))
    summed = sa.select(number.label("number"), *one.c, so_far.label("size")).select_from(joined).subquery("0_sum")
    fitting = sa.case((summed.c.size > sa.literal_column(str(largest)), too_large(summed.c.size)), else_=summed.c.answer)
    return sa.select(summed.c.number, fitting, *[summed.c[column.name] for column in one.c if column.name != "answer"])


def growing_batch(rows: NamedRows, largest: int, name: str) -> NamedRows:
    """The `list` of the rows' `row` as JSON, and of how far each leads, `progress`, in their order; null when there are none."""
    summed = _summed(rows, "progress", f"{name}_sum")
    row, progress = _fitting(summed, largest), summed.columns["progress"]
    listed = FilledText(NULLTYPE, ["coalesce(json_agg(", row, f"), {NO_ELEMENTS})"])
    return subselect(name, [("list", listed), ("progress", FilledText(NULLTYPE, ["json_agg(", progress, ")"]))], summed)


def growing_object(rows: NamedRows, largest: int, name: str) -> Json:
    """All rows as one JSON object of texts, by `key`, which ends with the row that is too much; `rows` have that and the `row`."""
    summed = _summed(rows, "key", f"{name}_sum")
    pairs: list[Piece] = ["json_object_agg(", summed.columns["key"], ", CAST(", _fitting(summed, largest), " AS TEXT))"]
    return scalar(FilledText(NULLTYPE, ["coalesce(", *pairs, ", '{}'::json)"]), summed)


def _summed(rows: NamedRows, beside: str, name: str) -> NamedRows:
    """The rows' `row` and what is beside it, and the `size` of all so far. No order: what is sorted is gathered first."""
    row = rows.columns["row"]
    so_far: list[Piece] = ["sum(pg_column_size(", row, ")) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"]
    return subselect(name, [("row", row), (beside, rows.columns[beside]), ("size", FilledText(_INTEGER, so_far))], rows)


def _fitting(summed: NamedRows, largest: int) -> FilledText:
    return _unless(summed.columns["size"], largest, summed.columns["row"])


def most_rows(keys: Sequence[str], largest: int) -> int:
    """So many rows of these response keys are too large whatever is in them."""
    shortest = len("{}") + sum(len(key) + len('"":0,') for key in keys) - len(",")
    # Less than what a running sum counts for such a row (`list_text.py`), or a list would end here and not be refused.
    return largest // (shortest - 1) + 1


def of_each(largest: int, held: int) -> int:
    """How large one of so many values side by side may be."""
    return largest if held <= SIBLINGS else largest * SIBLINGS // held


def are_few(arguments: Arguments, permitted: int | None) -> bool:
    """Whether the request or the rule says that there are few rows."""
    limits = [limit for limit in (arguments.limit, permitted) if isinstance(limit, int)]
    return min(limits, default=_FEW_ROWS + 1) <= _FEW_ROWS
