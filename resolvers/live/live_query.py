"""A subscription over tables."""

from dataclasses import dataclass

from resolvers.sql.database import NOBODY, Asker
from resolvers.sql.plan import Plan
from schema.model import TableName


@dataclass(frozen=True, slots=True)
class LiveQuery:
    """Run `plan` with `arguments` again whenever one of its tables may have changed, for `asker`."""

    plan: Plan
    arguments: list[str | None]
    asker: Asker = NOBODY

    @property
    def tables(self) -> frozenset[TableName]:
        return self.plan.tables
