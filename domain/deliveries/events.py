"""Events on their way to the deployment's own backend, which may be away for days."""

from datetime import datetime, timedelta
from typing import Final

import structlog

from domain.deliveries.courier import Courier, doubled
from domain.deliveries.outbox import Outbox
from domain.ports import OutsideEvent
from domain.world import World

log = structlog.get_logger(__name__)

# Deliveries of one process at a time.
AT_ONCE: Final = 10
# Seconds that a delivery may take; less than the outbox's `taken_for`, within which it is nobody else's.
PATIENCE: Final = 10.0
# Seconds between two tries double from the first to the longest.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 600.0
# From then on an event is forgotten, taken or not.
KEPT: Final = timedelta(days=7)
EVENTS: Final = Outbox(
    "event",
    OutsideEvent,
    alive=f"item.created_at > :now - interval '{KEPT.days} days'",
    order="item.next_attempt_at",
    taken_for=timedelta(seconds=30),
    kept=KEPT,
)


async def deliver_events(world: World) -> None:
    """Delivers everything that is due; does nothing in a deployment without a receiver."""
    receiver = world.event_receiver
    if receiver is None:
        return

    async def hand_over(event: OutsideEvent) -> None:
        await receiver.deliver(event, within=PATIENCE)

    await COURIER.deliver_due(world, hand_over)


def pause(event: OutsideEvent) -> timedelta:
    """How long after this try, which failed, the next comes."""
    return doubled(FIRST_PAUSE, event.attempt, LONGEST_PAUSE)


def _failed(event: OutsideEvent, error: str, _again: datetime) -> None:
    log.info("event_not_taken", event_id=str(event.id), kind=event.kind, attempts=event.attempt, error=error)


COURIER: Final = Courier(EVENTS, AT_ONCE, pause, "event_oldest", _failed)
