"""How people stand with streams at this moment, many of them in one statement: what is written in batches is asked in batches too."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import ActionError, Banned, InvalidInput, NotFound
from domain.streams.access import STREAMS
from domain.streams.rows import StreamStatus
from domain.streams.viewers.rows import person_of
from domain.world import Readable, Transaction, World
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from schema.tables.streams import streams
from schema.tables.users import users

Refusal = ActionError | GraphQLRefusal


class StreamAsked(NamedTuple):
    """Somebody, and a stream."""

    stream_id: UUID
    session: Session


@dataclass(frozen=True, slots=True)
class StreamStanding:
    """`refusal` says why the person may not see the stream, if so: also that the session lacks what the rule of its role names."""

    refusal: Refusal | None
    status: StreamStatus | None = None
    reactions_enabled: bool = False


class _Question:
    """That of a role, made once and asked often."""

    def __init__(self, readable: Readable, role: str) -> None:
        self._variables: dict[str, str] = {}
        seen = readable.by_values(role, STREAMS, streams, self._column_of)
        seen_unbanned = readable.by_values(role, STREAMS, streams, self._column_of, without="bans")
        asked = self._asked()
        known = sa.or_(asked.c.user_id.is_(None), sa.exists().where(users.c.id == asked.c.user_id))
        self._statement = (
            sa.select(
                streams.c.status,
                streams.c.reactions_enabled,
                sa.func.coalesce(seen, False).label("seen"),
                sa.func.coalesce(seen_unbanned, False).label("seen_unbanned"),
                known.label("known"),
            )
            .select_from(asked.outerjoin(streams, streams.c.id == asked.c.stream_id))
            .order_by(asked.c.number)
        )

    async def ask(self, tx: Transaction, all_asked: Sequence[StreamAsked]) -> list[StreamStanding]:
        rows = [self._row(one) for one in all_asked]
        given = list(zip(*(row for row in rows if not isinstance(row, GraphQLRefusal)), strict=True))
        columns = dict(zip(("stream_id", "user_id", *self._variables.values()), map(list, given), strict=True)) if given else {}
        found = iter(await tx.connection.execute(self._statement, columns) if columns else ())
        return [StreamStanding(row) if isinstance(row, GraphQLRefusal) else _standing(next(found)) for row in rows]

    def _row(self, asked: StreamAsked) -> tuple[Any, ...] | GraphQLRefusal:
        """What is asked for one; a session that lacks something is its owner's trouble, not that of the others in the statement."""
        try:
            values = [asked.session.variable(name) for name in self._variables]
            return asked.stream_id, person_of(asked.session), *values
        except GraphQLRefusal as refusal:
            return refusal

    def _column_of(self, name: str) -> sa.ColumnElement[str]:
        return sa.literal_column(f"asked.{self._variables.setdefault(name, f'v{len(self._variables)}')}", sa.Text())

    def _asked(self) -> Any:
        types: dict[str, Any] = {"stream_id": pg.UUID(), "user_id": pg.UUID()}
        types |= dict.fromkeys(self._variables.values(), sa.Text())
        given = [sa.bindparam(name, type_=pg.ARRAY(type_)) for name, type_ in types.items()]
        columns = [sa.column(name, type_) for name, type_ in types.items()]
        return sa.func.unnest(*given).table_valued(*columns, with_ordinality="number").render_derived(name="asked")


def _standing(row: Any) -> StreamStanding:
    refusal: ActionError | None = None
    if not row.seen:
        refusal = Banned() if row.seen_unbanned else NotFound()
    elif not row.known:
        refusal = InvalidInput("x-hasura-user-id names no known user.")
    return StreamStanding(refusal, row.status, bool(row.reactions_enabled))


# Building a rule takes longer than asking it.
_question = lru_cache(maxsize=64)(_Question)


async def standings(tx: Transaction, world: World, all_asked: Sequence[StreamAsked]) -> list[StreamStanding]:
    """Of each of them, in order; a statement a role."""
    found: dict[int, StreamStanding] = {}
    for role in dict.fromkeys(one.session.role for one in all_asked):
        places = [place for place, one in enumerate(all_asked) if one.session.role == role]
        answers = await _question(world.readable, role).ask(tx, [all_asked[place] for place in places])
        found |= zip(places, answers, strict=True)
    return [found[place] for place in range(len(all_asked))]
