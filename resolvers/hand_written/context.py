"""What a hand-written resolver gets as `info.context`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from graphql import DocumentNode
from graphql.pyutils import Path

from permissions.session import Session
from resolvers.hand_written.rows_together import RowsTogether
from resolvers.ir import KEYS
from resolvers.sql.database import Database
from resolvers.sql.plan import RowPlan


class Read(Protocol):
    async def __call__(self, query: str, variables: Mapping[str, Any], /) -> Any:
        """The `data` of a query over tables with the caller's permissions; raises GraphQLRefusal and DatabaseError."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """`session` says who asks, `world` is what the caller of the engine handed in for its actions, `read` asks the engine itself.

    `principal` is whose share of the service the request comes from: an address where no person is named.
    """

    session: Session
    world: Any
    database: Database
    document: DocumentNode
    variables: Mapping[str, Any]
    plans: Mapping[tuple[str, ...], RowPlan]
    read: Read
    principal: str = ""
    _together: dict[tuple[str, ...], RowsTogether] = field(default_factory=dict)

    async def rows(self, path: Path, payload: object) -> orjson.Fragment | None:
        """The JSON of the rows at this place of the answer, with the caller's permissions; None when the payload has no key."""
        place = tuple(step for step in path.as_list() if isinstance(step, str))
        row_plan = self.plans[place]
        keys = [getattr(payload, attribute) for attribute in row_plan.key_attributes]
        if None in keys:
            return orjson.Fragment(b"[]") if row_plan.many else None
        if row_plan.in_list:
            together = self._together.setdefault(place, RowsTogether(lambda texts: self._fetch(row_plan, [texts])))
            return await together.row(str(keys[0]))
        texts = [list(map(str, key)) for key in keys] if row_plan.many else list(map(str, keys))
        return orjson.Fragment(await self._fetch(row_plan, texts))

    async def _fetch(self, row_plan: RowPlan, keys: Sequence[object]) -> bytes:
        arguments = row_plan.plan.bind(self.session, {**self.variables, KEYS: keys})
        return await self.database.fetch_json(row_plan.plan.sql, arguments)
