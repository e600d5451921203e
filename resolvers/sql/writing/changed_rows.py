"""Which rows a write changes: those that the permission's filter lets through and the request asks for."""

import sqlalchemy as sa

from permissions.expressions import TRUE, Expression, Rule
from resolvers.sql.row_source import RowSource
from resolvers.sql.select import Selects
from schema.model import TrackedTable


def changed_rows(selects: Selects, tracked: TrackedTable, filter_: Expression, where: Expression) -> list[sa.ColumnElement[bool]]:
    """The conditions; rows outside the filter are passed over in silence."""
    source = RowSource(tracked, tracked.table, None)
    kept = where if filter_ == TRUE else Rule(filter_, where)
    return [] if kept == TRUE else [selects.condition(kept, source)]
