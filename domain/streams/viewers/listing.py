"""Who watches a stream at this moment, for its host."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.streams.access import access_stream
from domain.streams.viewers.rows import WATCHES
from domain.world import World
from permissions.session import Session
from schema.tables.stream_viewers import stream_viewers as viewers

# All of them, page by page, are a query of the table.
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Watching:
    """`viewer_ids` are those of the latest, at most MOST."""

    stream_id: UUID
    total: int
    authenticated: int
    viewer_ids: Sequence[UUID]


async def stream_viewers(world: World, session: Session, stream_id: UUID) -> Watching:
    """Counted as it is now, to the last join. Refuses with NotFound, Banned, NotAllowed (neither host nor admin)."""
    async with world.transaction("stream_viewers.look") as tx:
        (await access_stream(tx, world, session, stream_id)).hosting()
        mine = (viewers.c.stream_id == stream_id, WATCHES)
        counts = (await tx.connection.execute(sa.select(sa.func.count(), sa.func.count(viewers.c.user_id)).where(*mine))).one()
        latest = sa.select(viewers.c.id).where(*mine).order_by(viewers.c.joined_at.desc(), viewers.c.id).limit(MOST)
        return Watching(stream_id, counts[0], counts[1], list((await tx.connection.execute(latest)).scalars()))
