"""Sessions of people who may not see the stream any more: uninvited, banned, out of the channel, or it is for others now.

And of those who watch by WebRTC in the room of a call from which they were removed.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.streams.access import STREAMS
from domain.streams.viewers.entering import KICKED
from domain.streams.viewers.rows import LEAVING_TOPIC, WATCHES, ended
from domain.world import Readable, Transaction, World
from permissions.session import USER_ID
from schema.tables.stream_viewers import stream_viewers as viewers
from schema.tables.streams import streams

# Of these the rule is asked in some hundredths of a second, and they are locked no longer.
PAGE: Final = 1000
FIRST: Final = UUID(int=0)
_NOW: Final = sa.bindparam("now", type_=pg.TIMESTAMP(timezone=True))
_STREAM: Final = sa.bindparam("stream", type_=pg.UUID())
_PEOPLE: Final = sa.bindparam("people", type_=pg.ARRAY(pg.UUID()))
_AFTER: Final = sa.bindparam("after", type_=pg.UUID())


async def end_unseeing(tx: Transaction, world: World, stream_id: UUID, user_ids: Sequence[UUID]) -> int:
    """Ends the sessions that these people have of a stream and may not see it, by the rules as they are in this transaction; how many.

    What LiveKit has to be told of it follows by itself (`out_of_room.py`).
    """
    total = 0
    for role in await _roles(tx, stream_id, user_ids):
        given = {"stream": stream_id, "people": list(user_ids), "now": world.clock.now()}
        total += (await tx.connection.execute(_of_people(world.readable, role), given)).rowcount
    if total:
        tx.hint(LEAVING_TOPIC)
    return total


async def end_unseeing_in_room(world: World, stream_id: UUID) -> Sequence[str]:
    """The same for all who watch a stream by WebRTC, a page at a time, each of those that nobody holds. Their roles."""
    async with world.transaction("viewers.roles") as tx:
        asked = sa.select(viewers.c.role).distinct().where(viewers.c.stream_id == _STREAM, viewers.c.webrtc, WATCHES)
        roles = (await tx.connection.execute(asked, {"stream": stream_id})).scalars().all()
    for role in roles:
        after, many = FIRST, PAGE
        while many == PAGE:
            after, many = await _end_page(world, role, stream_id, after)
    return roles


async def _end_page(world: World, role: str, stream_id: UUID, after: UUID) -> tuple[UUID, int]:
    """Its last session, and of how many it is."""
    given = {"stream": stream_id, "after": after, "now": world.clock.now()}
    async with world.transaction("viewers.unseeing") as tx:
        row = (await tx.connection.execute(_in_room(world.readable, role), given)).one()
        if row.ended:
            tx.hint(LEAVING_TOPIC)
    return row.last, row.many


async def _roles(tx: Transaction, stream_id: UUID, user_ids: Sequence[UUID]) -> Sequence[str]:
    asked = sa.select(viewers.c.role).distinct().where(viewers.c.stream_id == _STREAM, viewers.c.user_id == sa.any_(_PEOPLE), WATCHES)
    found = await tx.connection.execute(asked, {"stream": stream_id, "people": list(user_ids)})
    return [row.role for row in found]


# Building a rule takes longer than asking it.
@lru_cache(maxsize=64)
def _of_people(readable: Readable, role: str) -> sa.Update:
    due = _sessions(readable, role).where(viewers.c.stream_id == _STREAM, viewers.c.user_id == sa.any_(_PEOPLE))
    return _end(due.order_by(viewers.c.id).with_for_update(of=viewers, key_share=True))


@lru_cache(maxsize=64)
def _in_room(readable: Readable, role: str) -> sa.Select[Any]:
    mine = (viewers.c.stream_id == _STREAM, viewers.c.role == role, viewers.c.webrtc, WATCHES, viewers.c.id > _AFTER)
    page = sa.select(viewers.c.id).where(*mine).order_by(viewers.c.id).limit(PAGE).cte("page").prefix_with("MATERIALIZED")
    due = _sessions(readable, role, or_kicked=True).where(viewers.c.id.in_(sa.select(page.c.id)))
    ended_ones = _end(due.with_for_update(of=viewers, skip_locked=True, key_share=True)).returning(viewers.c.id).cte("ended")
    last = sa.select(page.c.id).order_by(page.c.id.desc()).limit(1).scalar_subquery()
    many, ends = (sa.select(sa.func.count()).select_from(some).scalar_subquery() for some in (page, ended_ones))
    return sa.select(last.label("last"), many.label("many"), ends.label("ended"))


def _sessions(readable: Readable, role: str, *, or_kicked: bool = False) -> sa.Select[tuple[UUID]]:
    """Ids of the sessions of this role whose viewer the rule does not show the stream, or who was removed from the call that it shows."""
    rule = readable.by_values(role, STREAMS, streams, _value_of)
    watching = viewers.join(streams, streams.c.id == viewers.c.stream_id)
    out = sa.not_(sa.func.coalesce(rule, False))
    found = sa.select(viewers.c.id).select_from(watching).where(WATCHES, viewers.c.role == role)
    return found.where(sa.or_(out, KICKED) if or_kicked else out)


def _value_of(name: str) -> sa.ColumnElement[str]:
    """Nothing is known of the token that joined but whose it was: a rule that asks for more shows nothing."""
    # By name: a column object would draw its table into the rule's own queries.
    return sa.literal_column(f"CAST({viewers.name}.user_id AS text)" if name.lower() == USER_ID else "CAST(NULL AS text)", sa.Text())


def _end(due: sa.Select[tuple[UUID]]) -> sa.Update:
    some = due.cte("due")
    return sa.update(viewers).where(viewers.c.id == some.c.id, WATCHES).values(**ended(_NOW))
