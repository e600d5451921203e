"""The permission's check on written rows: inside the writing statement, over the rows as they were written."""

from dataclasses import dataclass

import sqlalchemy as sa

from permissions.expressions import FALSE, TRUE, Expression, Rule
from resolvers.sql.json_values import FALSE_JSON, Json
from resolvers.sql.row_source import RowSource
from resolvers.sql.select import Selects
from schema.model import TrackedTable

# The answer of a statement whose rows fail the check; no field of a mutation answers with it.
CHECK_FAILED = b"false"


# Of an insert that may update: whether a row is new. No column that GraphQL can name looks like this.
NEW = "0_new"


@dataclass(frozen=True, slots=True)
class WriteCheck:
    """What rows have to be after a write. With `of_updated` an insert may have updated some, and those are held to that."""

    check: Expression
    of_updated: Expression | None = None

    @property
    def is_empty(self) -> bool:
        return self.check == TRUE and self.of_updated in (None, TRUE)


def if_checked(selects: Selects, tracked: TrackedTable, rows: sa.CTE, check: WriteCheck, answer: Json) -> Json:
    """`answer` when all `rows` pass the check, otherwise `false`.

    Fails closed: a check that is unknown (NULL) refuses, where Hasura lets it pass.
    """
    if check.is_empty:
        return answer
    source = RowSource(tracked, rows, None)
    holds = selects.condition(Rule(check.check), source)
    if check.of_updated is not None:
        holds = sa.case((rows.c[NEW], holds), else_=selects.condition(Rule(check.of_updated), source))
    passed = sa.func.coalesce(holds, selects.condition(FALSE, source))
    all_passed = sa.select(sa.func.coalesce(sa.func.bool_and(passed), sa.literal_column("true"))).select_from(rows).scalar_subquery()
    return sa.case((all_passed, answer), else_=FALSE_JSON)
