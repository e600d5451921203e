"""Delivering events: each once at least, the same one never twice at a time, and none again after it was taken."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from domain.event_delivery import waiting_events
from domain.ports import EventNotTaken, EventReceiver, OutsideEvent
from domain.world import World

log = structlog.get_logger(__name__)
# Deliveries of one process at a time.
AT_ONCE: Final = 10
# Seconds that a delivery may take; less than `waiting_events.TAKEN_FOR`, within which it is nobody else's.
PATIENCE: Final = 10.0
# Seconds between two tries double from the first to the longest.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 600.0


async def deliver_events(world: World) -> None:
    """Delivers everything that is due, in this process beside others; does nothing in a deployment without a receiver.

    What a crash cuts off is due again a little later: the receiver then gets the same event, with the same id, once more.
    """
    receiver = world.event_receiver
    if receiver is None:
        return
    world.figure("event_oldest", await waiting_events.oldest_wait(world))
    while taken := await waiting_events.take(world, AT_ONCE):
        await asyncio.gather(*(_deliver(world, receiver, event) for event in taken))


async def _deliver(world: World, receiver: EventReceiver, event: OutsideEvent) -> None:
    try:
        await receiver.deliver(event, within=PATIENCE)
    except EventNotTaken as failure:
        await waiting_events.settle(world, event, error=str(failure), next_attempt_at=world.clock.now() + pause(event.attempt))
        log.info("event_not_taken", event_id=str(event.id), kind=event.kind, attempts=event.attempt, error=str(failure))
    else:
        await waiting_events.settle(world, event)


def pause(attempt: int) -> timedelta:
    """How long after so many tries, all of which failed, an event is tried again."""
    return timedelta(seconds=min(FIRST_PAUSE * 2 ** min(attempt - 1, 16), LONGEST_PAUSE))
