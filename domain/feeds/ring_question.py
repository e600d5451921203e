"""For many people at once: whether what rings for them is something else than they know."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import Readable, Transaction
from permissions.session import Session
from schema.model import TableName
from schema.tables.call_participants import call_participants

_PARTICIPANTS = TableName("public", "nchat_call_participants")


class Known(NamedTuple):
    """What somebody knows: `rings` is a JSON object of calls and since when each rings, `many` their number.

    `values` are those of the session variables that the role's rule names.
    """

    user_id: UUID
    rings: str
    many: int
    values: tuple[str, ...]


class RingQuestion:
    """The question of a role, made once and asked often. Only what its select rule shows is compared."""

    def __init__(self, readable: Readable, role: str) -> None:
        self._variables: dict[str, str] = {}
        place = call_participants.alias("place")
        rule = readable.by_values(role, _PARTICIPANTS, place, self._column_of)
        asked = self._asked()
        known_since = sa.cast(sa.cast(asked.c.rings, pg.JSONB)[sa.cast(place.c.call_id, sa.Text)].astext, pg.TIMESTAMP(timezone=True))
        rings = (
            sa.select(sa.func.count().label("many"), sa.func.count().filter(known_since == place.c.invited_at).label("known"))
            .where(place.c.user_id == asked.c.user_id, place.c.status == "ringing", rule)
            .lateral("rings")
        )
        differ = sa.or_(rings.c.many != rings.c.known, rings.c.known != asked.c.many)
        self._statement = sa.select(asked.c.number).select_from(asked.join(rings, sa.true())).where(differ)

    def values(self, session: Session) -> tuple[str, ...]:
        """What the rule names. Raises Hasura's not-found when the session lacks one."""
        return tuple(session.variable(name) for name in self._variables)

    async def ask(self, tx: Transaction, all_known: Sequence[Known]) -> Sequence[int]:
        """The places in `all_known` of those who have to look."""
        people, rings, many, values = zip(*all_known, strict=True)
        given: dict[str, Any] = {"user_id": people, "rings": rings, "many": many}
        given |= dict(zip(self._variables.values(), zip(*values, strict=True), strict=True))
        found = await tx.connection.execute(self._statement, {name: list(column) for name, column in given.items()})
        return [number - 1 for number in found.scalars()]

    def _column_of(self, name: str) -> sa.ColumnElement[str]:
        return sa.literal_column(f"asked.{self._variables.setdefault(name, f'v{len(self._variables)}')}", sa.Text())

    def _asked(self) -> Any:
        types: dict[str, Any] = {"user_id": pg.UUID(), "rings": sa.Text(), "many": sa.Integer()}
        types |= dict.fromkeys(self._variables.values(), sa.Text())
        given = [sa.bindparam(name, type_=pg.ARRAY(type_)) for name, type_ in types.items()]
        columns = [sa.column(name, type_) for name, type_ in types.items()]
        return sa.func.unnest(*given).table_valued(*columns, with_ordinality="number").render_derived(name="asked")
