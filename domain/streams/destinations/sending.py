"""Asks LiveKit to send to what is wanted, and no more to what is not: one address of an egress at a time, and by one process.

Marked before LiveKit is asked: after a death in between its record is looked into first, or it would send there twice.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.ports import MediaError, MediaRefused, Unreadable, Unresolvable
from domain.recording_ports import Egress, Recorder
from domain.short_waits import HeldByAnother, short_waits
from domain.streams.destinations.addresses import full_url
from domain.streams.destinations.checking import refusal
from domain.streams.destinations.matching import place_of
from domain.streams.destinations.outputs import plan
from domain.streams.destinations.rows import TOPIC
from domain.streams.destinations.status import KEY_LOST, NOT_TAKEN, SeenState, hold, tell
from domain.streams.destinations.unfound import GIVEN_UP, is_given_up, look_later
from domain.world import Transaction, World
from schema.tables.stream_outputs import stream_outputs as table

log = structlog.get_logger(__name__)
AT_ONCE: Final = 20
# Whoever asks LiveKit is done by then, or dead.
ASKED_AGAIN_AFTER: Final = timedelta(seconds=20)
DUE: Final = """
    output.over_at IS NULL AND (output.sent_at IS NULL OR output.unwanted_at IS NOT NULL)
    AND (output.asked_at IS NULL OR output.asked_at < :again)
    AND (output.not_before IS NULL OR output.not_before <= :now OR output.unwanted_at IS NOT NULL)
"""
# The lock is what keeps two processes from one egress; both statements after it see what the other has written.
LOCK: Final = sa.text(f"""
    SELECT part.egress_id FROM nchat_call_recording_parts AS part
    WHERE part.egress_id IN (SELECT output.egress_id FROM nchat_stream_outputs AS output WHERE {DUE})
    ORDER BY part.id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
""")  # noqa: S608 - a condition of ours
TAKE: Final = sa.text(f"""
    WITH next AS (
        SELECT DISTINCT ON (output.egress_id) output.id, output.asked_at FROM nchat_stream_outputs AS output
        WHERE output.egress_id = ANY(:egresses) AND {DUE} AND NOT EXISTS (
            SELECT FROM nchat_stream_outputs AS other WHERE other.egress_id = output.egress_id AND other.asked_at >= :again
        )
        ORDER BY output.egress_id, output.unwanted_at NULLS LAST, output.created_at, output.id
    )
    UPDATE nchat_stream_outputs AS output SET asked_at = :now
    FROM next, nchat_streams AS stream WHERE output.id = next.id AND stream.id = output.stream_id
    RETURNING output.id, output.egress_id, output.rtmp_url, output.stream_key_encrypted, output.unwanted_at IS NOT NULL AS unwanted,
        next.asked_at IS NOT NULL AS asked_before, output.unfound_since, stream.host_id
""").bindparams(sa.bindparam("egresses", type_=pg.ARRAY(sa.Text)))  # noqa: S608 - a condition of ours


@dataclass(frozen=True, slots=True)
class Output:
    """One that LiveKit is to be asked for now, or to take away. `asked_before`: perhaps it has it. `unfound_since`: nobody could say since
    then where its host is."""

    id: UUID
    egress_id: str
    rtmp_url: str
    stream_key_encrypted: str = field(repr=False)
    unwanted: bool
    asked_before: bool
    unfound_since: datetime | None
    host_id: UUID


async def take_outputs(world: World) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
    """What is to be asked of LiveKit now, each by calling it. Several processes may take: each egress is asked by one."""
    recorder, now = world.recorder, world.clock.now()
    if recorder is None:
        return []
    try:
        async with world.transaction("stream_outputs.plan") as tx, short_waits(tx):
            await plan(tx)
        async with world.transaction("stream_outputs.take") as tx, short_waits(tx):
            taken = await _take(tx, now)
    except HeldByAnother:
        log.info("stream_outputs_held")
        return []
    return [partial(_ask, world, recorder, output) for output in taken]


async def _take(tx: Transaction, now: datetime) -> Sequence[Output]:
    again = now - ASKED_AGAIN_AFTER
    egresses = (await tx.connection.execute(LOCK, {"again": again, "now": now, "most": AT_ONCE})).scalars().all()
    if not egresses:
        return []
    found = await tx.connection.execute(TAKE, {"egresses": list(egresses), "again": again, "now": now})
    return [Output(**row._mapping) for row in found]


async def _ask(world: World, recorder: Recorder, output: Output) -> None:
    """A failure leaves it as it was taken: it is asked again after a while."""
    try:
        await _add_or_remove(world, recorder, output)
    except Unreadable:
        # Nobody can name the address any more: neither is it sent to, nor can it be taken away before the egress ends.
        log.error("stream_key_unreadable", output_id=str(output.id))
        await _over(world, output, SeenState("error", KEY_LOST))
    except HeldByAnother:
        log.info("stream_output_held", output_id=str(output.id))
    except MediaRefused as error:
        log.warning("stream_output_refused", output_id=str(output.id), error=str(error))
        await _over(world, output, SeenState("error", NOT_TAKEN))
    except MediaError as error:
        log.warning("stream_output_unanswered", output_id=str(output.id), error=str(error))


async def _add_or_remove(world: World, recorder: Recorder, output: Output) -> None:
    key = world.sealer.reveal(output.stream_key_encrypted)
    if output.unwanted:
        await recorder.remove_output(output.egress_id, full_url(output.rtmp_url, key))
        await _over(world, output)
    else:
        await _add(world, recorder, output, key)


async def _add(world: World, recorder: Recorder, output: Output, key: str) -> None:
    taken = await _places(world, output.egress_id)
    if output.asked_before:
        record = await recorder.find(output.egress_id)
        if record is None:
            return
        if place_of(record.outputs, key, taken) is not None:
            await _sent(world, output, record, key, taken)
            return
    # Where the name leads may have changed since the host named it.
    try:
        sentence = await refusal(world, output.rtmp_url, str(output.host_id))
    except Unresolvable as error:
        log.warning("stream_output_unfound", output_id=str(output.id), error=str(error))
        await _unfound(world, output)
        return
    if sentence is not None:
        await _over(world, output, SeenState("error", sentence))
        return
    await _sent(world, output, await recorder.add_output(output.egress_id, full_url(output.rtmp_url, key)), key, taken)


async def _places(world: World, egress_id: str) -> frozenset[int]:
    """Those of the egress's record that belong to others."""
    async with world.transaction("stream_outputs.places") as tx:
        found = await tx.connection.scalars(sa.select(table.c.place).where(table.c.egress_id == egress_id, table.c.place.is_not(None)))
        return frozenset(found)


async def _sent(world: World, output: Output, record: Egress, key: str, taken: frozenset[int]) -> None:
    place = place_of(record.outputs, key, taken)
    async with world.transaction("stream_outputs.sent") as tx, short_waits(tx):
        await hold(tx, output.id)
        mine = sa.update(table).where(table.c.id == output.id, table.c.sent_at.is_(None))
        await tx.connection.execute(mine.values(sent_at=world.clock.now(), asked_at=None, place=place, unfound_since=None, not_before=None))
        await tell(tx, output.id, SeenState("connecting"))
        tx.hint(TOPIC)


async def _unfound(world: World, output: Output) -> None:
    now = world.clock.now()
    if is_given_up(output.unfound_since, now):
        await _over(world, output, SeenState("error", GIVEN_UP))
        return
    async with world.transaction("stream_outputs.unfound") as tx, short_waits(tx):
        await look_later(tx, output.id, output.unfound_since, now)


async def _over(world: World, output: Output, told: SeenState | None = None) -> None:
    """It is not sent to any more, or never was."""
    async with world.transaction("stream_outputs.over") as tx:
        await hold(tx, output.id)
        mine = sa.update(table).where(table.c.id == output.id, table.c.over_at.is_(None))
        await tx.connection.execute(mine.values(over_at=world.clock.now(), asked_at=None))
        if told is not None:
            await tell(tx, output.id, told)
        tx.hint(TOPIC)
