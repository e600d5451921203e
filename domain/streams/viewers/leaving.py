"""A viewer stops watching."""

import sqlalchemy as sa

from domain.errors import NotFound
from domain.streams.viewers.rows import COLUMNS, Viewer, end, hashed, moment, person_of
from domain.world import World
from permissions.session import Session
from schema.tables.stream_viewers import stream_viewers as viewers


async def leave_stream(world: World, session: Session, session_id: str) -> Viewer:
    """The session, which is over; one that was over before stays as it was. NotFound where the caller has no such session."""
    async with world.transaction("leave_stream.write") as tx:
        mine = sa.select(*COLUMNS).where(
            viewers.c.session_id == hashed(session_id), viewers.c.user_id.is_not_distinct_from(person_of(session))
        )
        row = (await tx.connection.execute(mine.with_for_update(key_share=True))).first()
        if row is None:
            raise NotFound
        viewer = Viewer.of(row)
        await end(tx, [viewer.id], moment(world.clock.now()))
        return viewer
