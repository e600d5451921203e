"""The webhook inbox: stored first, answered 200, then processed in the order received per room, again after a crash."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from domain.calls.repairs import Repair, carry_out
from domain.errors import ActionError
from domain.ports import MediaError
from domain.webhooks.effects import apply
from domain.webhooks.webhook_event import ReceivedEvent, WebhookEvent, allowed
from domain.world import Transaction, World

__all__ = ["WebhookEvent", "process_pending", "purge", "store"]

ROOMS_AT_ONCE: Final = 8
KEPT: Final = timedelta(days=7)
# What an event may fail with: it stays, with the failure beside it, and is tried again later.
FAILURES: Final = (MediaError, ActionError, sa.exc.SQLAlchemyError, LookupError, TypeError, ValueError)

# received_at is PostgreSQL's own clock: it orders the deliveries that several workers took.
STORE: Final = sa.text("""
    INSERT INTO nchat_webhook_events (id, event, payload, received_at, next_attempt_at)
    VALUES (:id, :event, CAST(:payload AS jsonb), clock_timestamp(), :now)
    ON CONFLICT (id) DO NOTHING
""")
DUE_ROOMS: Final = sa.text("""
    SELECT coalesce(payload #>> '{room,name}', '') AS room FROM nchat_webhook_events
    WHERE processed_at IS NULL AND next_attempt_at <= :now
    GROUP BY 1 ORDER BY min(received_at) LIMIT 200
""")
LOCK_ROOM: Final = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('webhooks:' || :room, 0))")
# An attempt takes the event out of everybody's way for a growing while: 5 s, 10 s, 20 s … 10 min.
BEGIN_NEXT: Final = sa.text("""
    UPDATE nchat_webhook_events SET
        attempts = attempts + 1,
        next_attempt_at = :now + make_interval(secs => least(600, 5 * power(2, least(attempts, 10))))
    WHERE id = (
        SELECT id FROM nchat_webhook_events
        WHERE processed_at IS NULL AND next_attempt_at <= :now AND coalesce(payload #>> '{room,name}', '') = :room
        ORDER BY received_at, id LIMIT 1)
    RETURNING id, event, payload, received_at
""")
FAILED: Final = sa.text("UPDATE nchat_webhook_events SET error = :error WHERE id = :id AND processed_at IS NULL")
DONE: Final = sa.text("UPDATE nchat_webhook_events SET processed_at = :now, error = NULL WHERE id = :id AND processed_at IS NULL")
PURGE: Final = sa.text("DELETE FROM nchat_webhook_events WHERE received_at < :before")


async def store(world: World, event: WebhookEvent) -> bool:
    """Keeps one delivery; False when this id was seen before. Commit means it will be processed, whatever crashes after."""
    row = {"id": event.id, "event": event.event, "payload": json.dumps(allowed(event.payload)), "now": world.clock.now()}
    async with world.transaction("webhook.store") as tx:
        return (await tx.connection.execute(STORE, row)).rowcount == 1


async def process_pending(world: World) -> int:
    """Processes what is due and returns how many events were dealt with.

    Rooms go side by side, the events of one room one after another in the order received. Safe on several workers: a room
    is one worker's at a time. An event that fails keeps its error and comes again after a growing delay; it holds up
    neither other rooms nor the rest of its own, since effects never depend on the order of arrival.
    """
    async with world.transaction("webhook.due") as tx:
        rooms = (await tx.connection.execute(DUE_ROOMS, {"now": world.clock.now()})).scalars().all()
    places = asyncio.Semaphore(ROOMS_AT_ONCE)

    async def process(room: str) -> int:
        async with places:
            return await _process_room(world, room)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(process(room)) for room in rooms]
    return sum(task.result() for task in tasks)


async def purge(world: World) -> int:
    """Forgets what was received more than 7 days ago; returns how many."""
    async with world.transaction("webhook.purge") as tx:
        return (await tx.connection.execute(PURGE, {"before": world.clock.now() - KEPT})).rowcount


async def _process_room(world: World, room: str) -> int:
    done = 0
    while True:
        async with world.transaction("webhook.process") as tx:
            if not (await tx.connection.execute(LOCK_ROOM, {"room": room})).scalar_one():
                return done
            row = (await tx.connection.execute(BEGIN_NEXT, {"room": room, "now": world.clock.now()})).first()
            if row is None:
                return done
            event = ReceivedEvent(row.id, row.event, row.received_at, row.payload)
            repairs = await _attempt(world, tx, event)
        if repairs:
            await _repair(world, event, repairs)
        done += 1


async def _attempt(world: World, tx: Transaction, event: ReceivedEvent) -> Sequence[Repair]:
    """One event in one savepoint: its effects and their mark are kept together, or its failure is."""
    noted = len(tx.hints)
    try:
        async with tx.connection.begin_nested():
            repairs = await apply(world, tx, event)
            if not repairs:
                await tx.connection.execute(DONE, {"id": event.id, "now": world.clock.now()})
            await tx.write_down()
            return repairs
    except FAILURES as failure:
        if isinstance(failure, sa.exc.DBAPIError) and failure.connection_invalidated:
            # There is nobody to tell; the attempt itself is rolled back with the rest.
            raise
        del tx.hints[noted:]
        tx.noted.clear()
        await tx.connection.execute(FAILED, {"id": event.id, "error": _sentence(failure)})
        return ()


async def _repair(world: World, event: ReceivedEvent, repairs: Sequence[Repair]) -> None:
    """What LiveKit is asked for; the event counts as processed only when LiveKit has done it."""
    try:
        await carry_out(world, repairs)
    except MediaError as failure:
        async with world.transaction("webhook.failed") as tx:
            await tx.connection.execute(FAILED, {"id": event.id, "error": _sentence(failure)})
        return
    async with world.transaction("webhook.done") as tx:
        await tx.connection.execute(DONE, {"id": event.id, "now": world.clock.now()})


def _sentence(failure: Exception) -> str:
    """Our own errors in their words; of others only the class: a driver's text quotes values."""
    if isinstance(failure, MediaError | ActionError):
        return f"{type(failure).__name__}: {failure}"
    return type(failure).__name__
