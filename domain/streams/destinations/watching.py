"""What LiveKit's records say of the addresses that are sent to: every few seconds, and at once when a webhook speaks of the egress."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.ports import Unreadable
from domain.recording_ports import Egress, OutputReport
from domain.short_waits import HeldByAnother, short_waits
from domain.streams.destinations.matching import place_of, report_at
from domain.streams.destinations.rows import TOPIC
from domain.streams.destinations.status import hold, tell, told_by
from domain.world import Transaction, World
from schema.tables.stream_outputs import stream_outputs as table

log = structlog.get_logger(__name__)
EVERY: Final = timedelta(seconds=4)
LOOK: Final = 500
TAKE: Final = sa.text("""
    WITH due AS (
        SELECT output.id FROM nchat_stream_outputs AS output
        WHERE output.sent_at IS NOT NULL AND output.unwanted_at IS NULL AND output.over_at IS NULL AND output.next_look_at <= :now
        ORDER BY output.next_look_at LIMIT :look FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_stream_outputs AS output SET next_look_at = :next FROM due WHERE output.id = due.id
    RETURNING output.id, output.egress_id, output.stream_key_encrypted, output.place, output.sent_at
""")


@dataclass(frozen=True, slots=True)
class SentOutput:
    """An output that LiveKit took, and its place in the record where that is known."""

    id: UUID
    egress_id: str
    stream_key_encrypted: str = field(repr=False)
    place: int | None
    sent_at: datetime


async def look_soon(tx: Transaction, egress_id: str, now: datetime) -> None:
    """A webhook says that something of this egress is new: its record says what."""
    mine = sa.update(table).where(table.c.egress_id == egress_id, table.c.over_at.is_(None))
    if (await tx.connection.execute(mine.values(next_look_at=now).returning(table.c.id))).first() is not None:
        tx.hint(TOPIC)


async def watch_outputs(world: World) -> int:
    """Looks at every output that is due; returns how many. Raises MediaError when LiveKit does not answer: nothing is told then."""
    recorder, now = world.recorder, world.clock.now()
    if recorder is None:
        return 0
    async with world.transaction("stream_outputs.take_looks") as tx:
        found = await tx.connection.execute(TAKE, {"now": now, "next": now + EVERY, "look": LOOK})
        due = [SentOutput(**row._mapping) for row in found]
    if due:
        records = {egress.id: egress for egress in await recorder.active()}
        seen = [(one, record) for one in due if (record := records.get(one.egress_id)) is not None]
        await _note_all(world, seen, now)
    return len(due)


async def _note_all(world: World, seen: Sequence[tuple[SentOutput, Egress]], now: datetime) -> None:
    """Each by itself: a row that somebody holds waits for the next look."""
    for one, record in seen:
        try:
            async with world.transaction("stream_outputs.note") as tx, short_waits(tx):
                await _note(tx, world, one, record, now)
        except HeldByAnother:
            log.info("stream_output_held", output_id=str(one.id))


async def _note(tx: Transaction, world: World, one: SentOutput, record: Egress, now: datetime) -> None:
    await hold(tx, one.id)
    report = await _report(tx, world, one, record)
    if report is None:
        return
    told = told_by(report, one.sent_at, now)
    await tell(tx, one.id, told)
    if told.over:
        mine = sa.update(table).where(table.c.id == one.id, table.c.over_at.is_(None))
        await tx.connection.execute(mine.values(over_at=now))


async def _report(tx: Transaction, world: World, one: SentOutput, record: Egress) -> OutputReport | None:
    try:
        key = world.sealer.reveal(one.stream_key_encrypted)
    except Unreadable:
        log.error("stream_key_unreadable", output_id=str(one.id))
        return None
    if one.place is not None:
        return report_at(record.outputs, one.place, key)
    taken = await tx.connection.scalars(sa.select(table.c.place).where(table.c.egress_id == one.egress_id, table.c.place.is_not(None)))
    place = place_of(record.outputs, key, frozenset(taken))
    if place is None:
        return None
    await tx.connection.execute(sa.update(table).where(table.c.id == one.id).values(place=place))
    return record.outputs[place]
