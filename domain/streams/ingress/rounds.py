"""All ingresses beside LiveKit's, every few seconds: what it says of encoders is noted, and what nobody wants any more is removed.

What a webhook would have told is found here when it was lost; what LiveKit measures is told here alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.ports import Ingests, ListedIngress
from domain.short_waits import HeldByAnother, short_waits
from domain.side_by_side import Failures
from domain.streams.ingress.news import hear, lose
from domain.streams.ingress.retiring import remove_retired, retire
from domain.streams.ingress.rows import COLUMNS, INGRESSES, StreamIngress, by_ingress_id, set_ingress
from domain.streams.rows import OVER
from domain.world import Transaction, World
from schema.tables.stream_ingresses import stream_ingresses
from schema.tables.streams import streams

log = structlog.get_logger(__name__)
# From asking LiveKit to having its answer written down.
IN_HAND: Final = timedelta(minutes=1)
# Two looks apart make an absence.
MISSED_FOR: Final = timedelta(seconds=8)
LOOK: Final = 200


async def look_at_ingresses(world: World) -> None:
    """One comparison, once the deployment has had a first ingress: before, LiveKit need not be able to. Safe to run twice and on several
    workers.

    Raises MediaError when LiveKit does not answer: nothing counts as gone then. What fails by itself holds up nothing else.
    """
    ingests = world.ingests
    if ingests is None or not await _has_had_any(world):
        return
    began, listed = world.clock.now(), await ingests.ours()
    failures = Failures(_not_done)
    async with world.transaction("ingress.look") as tx:
        await retire(tx, await _over(tx), began)
        known = await _known(tx, [one.wanted for one in listed])
    await failures.side_by_side({f"state {one.id}": _note(world, one) for one in listed if _has_news(known.get(one.wanted), one)})
    strays = [one for one in listed if _is_stray(known.get(one.wanted), one, began)]
    await failures.side_by_side({f"stray {one.id}": _remove_stray(ingests, one) for one in strays})
    await failures.side_by_side({"retired": remove_retired(world), "unanswered": _forget_unanswered(world, began)})
    await failures.side_by_side({f"room of {one[0]}": _look_into_room(world, ingests, *one) for one in await _publishing(world)})
    failures.tell()


async def _has_had_any(world: World) -> bool:
    async with world.transaction("ingress.any") as tx:
        return bool(await tx.connection.scalar(sa.select(sa.exists(sa.select(INGRESSES.id)))))


async def _over(tx: Transaction) -> Sequence[UUID]:
    """Streams that are over and have an ingress nevertheless: whoever ended them died before, or never knew."""
    joined = stream_ingresses.join(streams, streams.c.id == INGRESSES.stream_id)
    question = sa.select(INGRESSES.stream_id).select_from(joined).where(INGRESSES.retired_at.is_(None), streams.c.status.in_(OVER))
    return (await tx.connection.execute(question.limit(LOOK))).scalars().all()


async def _known(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, StreamIngress]:
    rows = await tx.connection.execute(sa.select(*COLUMNS).where(INGRESSES.id.in_(ids)))
    return {row.id: StreamIngress.of(row) for row in rows}


def _has_news(known: StreamIngress | None, listed: ListedIngress) -> bool:
    """Most have none, and cost no transaction."""
    if known is None or known.ingress_id != listed.id or listed.state.told_at is None:
        return False
    return known.told_at is None or known.told_at < listed.state.told_at


async def _note(world: World, listed: ListedIngress) -> None:
    try:
        async with world.transaction("ingress.noted") as tx, short_waits(tx):
            await hear(tx, listed.id, listed.state, world.clock.now())
    except HeldByAnother:
        log.info("ingress_held", ingress_id=listed.id)


def _is_stray(known: StreamIngress | None, listed: ListedIngress, now: datetime) -> bool:
    """Of no row; or not the one that the row has, after whoever asked for it died before writing it down."""
    if known is None:
        return True
    if known.ingress_id is None:
        return known.retired_at is not None or now - known.created_at > IN_HAND
    return known.ingress_id != listed.id or known.removed_at is not None


async def _remove_stray(ingests: Ingests, listed: ListedIngress) -> None:
    log.warning("stray_ingress_removed", ingress_id=listed.id)
    await ingests.delete(listed.id)


async def _forget_unanswered(world: World, now: datetime) -> None:
    """Retired before LiveKit's answer was written down: whatever LiveKit made was a stray, and is gone."""
    async with world.transaction("ingress.unanswered") as tx:
        await tx.connection.execute(
            sa.update(stream_ingresses)
            .where(INGRESSES.retired_at < now - IN_HAND, INGRESSES.removed_at.is_(None), INGRESSES.ingress_id.is_(None))
            .values(removed_at=now)
        )


async def _publishing(world: World) -> Sequence[tuple[str, str, str]]:
    """LiveKit's id, room and identity of each that is said to send."""
    joined = stream_ingresses.join(streams, streams.c.id == INGRESSES.stream_id)
    question = sa.select(INGRESSES.ingress_id, streams.c.room_name, INGRESSES.identity).select_from(joined)
    async with world.transaction("ingress.publishing") as tx:
        found = await tx.connection.execute(question.where(INGRESSES.status == "publishing", INGRESSES.retired_at.is_(None)))
        return [(row.ingress_id, row.room_name, row.identity) for row in found]


async def _look_into_room(world: World, ingests: Ingests, ingress_id: str, room: str, identity: str) -> None:
    """A worker that died leaves a record that says PUBLISHING for ever: who is missing at two looks is not there."""
    present, now = identity in await ingests.present(room), world.clock.now()
    async with world.transaction("ingress.looked") as tx, short_waits(tx):
        ingress = await by_ingress_id(tx, ingress_id)
        if ingress is None or not ingress.publishing:
            return
        if present:
            await _seen(tx, ingress)
        elif ingress.missed_at is None:
            await set_ingress(tx, ingress, missed_at=now)
        elif now - ingress.missed_at >= MISSED_FOR:
            await lose(tx, ingress)


async def _seen(tx: Transaction, ingress: StreamIngress) -> None:
    if ingress.missed_at is not None:
        await set_ingress(tx, ingress, missed_at=None)


def _not_done(what: str, error: str) -> None:
    log.warning("ingress_not_looked_at", what=what, error=error)
