"""Written rows from one statement of a mutation to the next: each as PostgreSQL's text of the table's row type.

It comes back as it was, whatever its types: JSON would not say null from JSON's null, and a type may have a cast to JSON of its own.
"""

import sqlalchemy as sa

from permissions.compiling.select_text import subselect
from permissions.compiling.whole_row import RowType
from resolvers.sql.json_values import Json, whole_texts
from resolvers.sql.select import Selects
from resolvers.sql.size.list_text import growing_rows


def kept_rows(selects: Selects, table: sa.Table, written: sa.CTE) -> Json:
    """A JSON list of the rows' texts; it ends with the row that is too much."""
    row = sa.cast(sa.func.ROW(*[written.c[column.name] for column in table.columns]), RowType(table))
    texts = subselect(selects.name("texts"), whole_texts(sa.cast(row, sa.Text())), written)
    return growing_rows(texts, selects.largest, selects.name("rows"))


def rows_kept(table: sa.Table, texts: Json) -> sa.TableValuedAlias:
    """The rows of such a list, in its order, with the columns of the table."""
    each = sa.func.json_array_elements_text(sa.cast(texts, sa.JSON())).table_valued("text")
    rows = sa.func.array(sa.select(sa.cast(each.c.text, RowType(table))).scalar_subquery())
    return sa.func.unnest(rows).table_valued(*[sa.column(column.name, column.type) for column in table.columns])
