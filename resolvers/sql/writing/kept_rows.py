"""Written rows from one statement of a mutation to the next: each as PostgreSQL's text of the table's row type.

It comes back as it was, whatever its types: JSON would not say null from JSON's null, and a type may have a cast to JSON of its own.
"""

from collections.abc import Collection
from typing import Final

import sqlalchemy as sa

from permissions.compiling.select_text import subselect
from permissions.compiling.whole_row import RowType
from resolvers.sql.json_values import Json, whole_texts
from resolvers.sql.select import Selects
from resolvers.sql.size.list_text import growing_rows
from schema.model import TrackedTable
from schema.sql_types import pg_type

# Answers, in which a part of what is kept is told.
_MORE: Final = 4


def kept_rows(selects: Selects, tracked: TrackedTable, written: sa.CTE, needed: Collection[str] | None = None) -> Json:
    """A JSON list of the rows' texts; it ends with the row that is too much. None but the `needed` columns have a value."""
    columns = tracked.table.columns
    kept = [needed is None or column.name in needed or pg_type(column.type).is_domain for column in columns]
    values = [written.c[column.name] if keep else sa.null() for column, keep in zip(columns, kept, strict=True)]
    row = sa.cast(sa.func.ROW(*values), RowType(tracked.table))
    texts = subselect(selects.name("texts"), whole_texts(sa.cast(row, sa.Text())), written)
    return growing_rows(texts, most_kept(selects), selects.name("rows"))


def most_kept(selects: Selects) -> int:
    """How many bytes of rows are kept: whole rows may be longer than an answer that tells a part of them."""
    return selects.largest * _MORE


def rows_kept(table: sa.Table, texts: Json) -> sa.TableValuedAlias:
    """The rows of such a list, in its order, with the columns of the table."""
    each = sa.func.json_array_elements_text(sa.cast(texts, sa.JSON())).table_valued("text")
    rows = sa.func.array(sa.select(sa.cast(each.c.text, RowType(table))).scalar_subquery())
    return sa.func.unnest(rows).table_valued(*[sa.column(column.name, column.type) for column in table.columns])
