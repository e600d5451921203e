"""A stream's ingress is not wanted any more: a durable mark, until LiveKit confirms that its key opens nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.ports import Ingests, MediaError
from domain.side_by_side import Failures
from domain.streams.ingress.rows import INGRESSES
from domain.world import Transaction, World

log = structlog.get_logger(__name__)
AT_ONCE: Final = 50
RETIRE: Final = sa.text("""
    UPDATE nchat_stream_ingresses SET retired_at = :now, publishing_since = NULL
    WHERE stream_id = ANY(:streams) AND retired_at IS NULL RETURNING stream_id
""").bindparams(sa.bindparam("streams", type_=pg.ARRAY(pg.UUID())))
# The sealed key goes with it.
REMOVED: Final = sa.text("""
    UPDATE nchat_stream_ingresses SET removed_at = :now, stream_key_encrypted = NULL, status = 'inactive', publishing_since = NULL
    WHERE id = :ingress AND removed_at IS NULL
""")


async def retire(tx: Transaction, stream_ids: Sequence[UUID], now: datetime) -> None:
    """From now on the encoders of these streams count as gone; `remove_retired` tells LiveKit after the commit."""
    retired = await tx.connection.execute(RETIRE, {"streams": list(stream_ids), "now": now})
    for stream_id in retired.scalars():
        tx.hint(f"stream:{stream_id}")


async def remove_retired(world: World, stream_id: UUID | None = None) -> int:
    """Lets LiveKit remove what is retired, of one stream or of all; returns how many are gone.

    Raises MediaError for one stream, an ExceptionGroup for all, when LiveKit does not confirm: the mark stays, and `rounds` tries again.
    """
    ingests = world.ingests
    if ingests is None:
        return 0
    async with world.transaction("ingress.retired") as tx:
        due = await _due(tx, stream_id)
    if stream_id is not None:
        for ours, theirs in due:
            await _remove(world, ingests, ours, theirs)
        return len(due)
    failures = Failures(_not_removed)
    await failures.side_by_side({str(ours): _remove(world, ingests, ours, theirs) for ours, theirs in due})
    failures.tell()
    return len(due)


async def remove_or_leave_it(world: World, stream_id: UUID) -> None:
    """The same of one stream where nobody can wait: a media server that does not answer leaves it to `rounds`."""
    try:
        await remove_retired(world, stream_id)
    except MediaError as error:
        _not_removed(f"of stream {stream_id}", type(error).__name__)


async def _due(tx: Transaction, stream_id: UUID | None) -> list[tuple[UUID, str]]:
    question = (
        sa.select(INGRESSES.id, INGRESSES.ingress_id)
        .where(INGRESSES.retired_at.is_not(None), INGRESSES.removed_at.is_(None), INGRESSES.ingress_id.is_not(None))
        .order_by(INGRESSES.retired_at)
        .limit(AT_ONCE)
    )
    if stream_id is not None:
        question = question.where(INGRESSES.stream_id == stream_id)
    return [(row.id, row.ingress_id) for row in await tx.connection.execute(question)]


async def _remove(world: World, ingests: Ingests, ours: UUID, theirs: str) -> None:
    await ingests.delete(theirs)
    async with world.transaction("ingress.removed") as tx:
        await tx.connection.execute(REMOVED, {"ingress": ours, "now": world.clock.now()})


def _not_removed(ingress: str, error: str) -> None:
    log.warning("ingress_not_removed", ingress=ingress, error=error)
