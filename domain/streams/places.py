"""How many streams run at a time: no more than the deployment allows, however many start at once."""

from typing import Final

import sqlalchemy as sa

from domain.errors import MediaUnavailable, StreamLimit
from domain.streams.rows import RUNNING
from domain.world import Transaction, World
from schema.tables.streams import streams

ONE_AT_A_TIME: Final = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('streams', 0))")
RUNNING_NOW: Final = sa.select(sa.func.count()).select_from(streams).where(streams.c.status.in_(RUNNING))


async def require_place(tx: Transaction, world: World) -> None:
    """StreamLimit when as many run as may; until the commit nobody else starts one. Asked last: others wait for whoever asked."""
    await tx.connection.execute(ONE_AT_A_TIME)
    running = (await tx.connection.execute(RUNNING_NOW)).scalar_one()
    if running >= world.stream_limits.most_at_once:
        raise StreamLimit


def require_streaming(world: World) -> None:
    """MediaUnavailable where the deployment has no streams."""
    if not world.streams:
        raise MediaUnavailable("Streaming is switched off.")
