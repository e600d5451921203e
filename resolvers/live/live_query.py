"""A subscription over tables."""

from dataclasses import dataclass

from resolvers.sql.database import NOBODY, Asker
from resolvers.sql.live_plan import LivePlan
from schema.model import TableName

Values = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class LiveQuery:
    """Run `plan` again whenever one of its tables may have changed, for `asker`.

    `shared` are the arguments of all who ask the same, `own` what this session brings. A stream begins after the value `since`,
    or goes on where it was `reached` before.
    """

    plan: LivePlan
    shared: Values
    own: Values
    asker: Asker = NOBODY
    since: str | None = None
    reached: Values | None = None

    @property
    def tables(self) -> frozenset[TableName]:
        return self.plan.tables
