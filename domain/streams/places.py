"""How many streams run at a time: no more than the deployment allows, however many start at once, and nobody holds many places with
streams that nothing is sent to."""

from typing import Final

import sqlalchemy as sa

from domain.errors import MediaUnavailable, StreamLimit
from domain.streams.rows import RUNNING, Stream
from domain.world import Transaction, World
from schema.tables.streams import streams

ONE_AT_A_TIME: Final = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('streams', 0))")
# One that waits for its first picture has five minutes for it.
MOST_WAITING: Final = 2
TOO_MANY_WAIT: Final = "Two streams of yours wait for their first picture: send to one of them, or cancel it."
WAITING: Final = (
    sa.select(sa.func.count()).select_from(streams).where(streams.c.status == "starting", streams.c.host_id == sa.bindparam("host"))
)
RUNNING_NOW: Final = sa.select(sa.func.count()).select_from(streams).where(streams.c.status.in_(RUNNING))


async def require_place(tx: Transaction, world: World, stream: Stream) -> None:
    """StreamLimit when as many run as may, or the stream's host has as many that are not live yet as one person may.

    Until the commit nobody else starts one. Asked last: others wait for whoever asked.
    """
    await tx.connection.execute(ONE_AT_A_TIME)
    if (await tx.connection.execute(WAITING, {"host": stream.host_id})).scalar_one() >= MOST_WAITING:
        raise StreamLimit(TOO_MANY_WAIT)
    running = (await tx.connection.execute(RUNNING_NOW)).scalar_one()
    if running >= world.stream_limits.most_at_once:
        raise StreamLimit


def require_streaming(world: World) -> None:
    """MediaUnavailable where the deployment has no streams."""
    if not world.streams:
        raise MediaUnavailable("Streaming is switched off.")
