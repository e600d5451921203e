"""The permission's check on written rows: inside the writing statement, over the rows as they were written."""

import sqlalchemy as sa

from permissions.expressions import FALSE, TRUE, Expression, Rule
from resolvers.sql.json_values import FALSE_JSON, Json
from resolvers.sql.row_source import RowSource
from resolvers.sql.select import Selects
from schema.model import TrackedTable

# The answer of a statement whose rows fail the check; no field of a mutation answers with it.
CHECK_FAILED = b"false"


def if_checked(selects: Selects, tracked: TrackedTable, rows: sa.CTE, check: Expression | None, answer: Json) -> Json:
    """`answer` when all `rows` pass the check, otherwise `false`.

    Fails closed: a check that is unknown (NULL) refuses, where Hasura lets it pass.
    """
    if check is None or check == TRUE:
        return answer
    source = RowSource(tracked, rows, None)
    passed = sa.func.coalesce(selects.condition(Rule(check), source), selects.condition(FALSE, source))
    all_passed = sa.select(sa.func.coalesce(sa.func.bool_and(passed), sa.literal_column("true"))).select_from(rows).scalar_subquery()
    return sa.case((all_passed, answer), else_=FALSE_JSON)
