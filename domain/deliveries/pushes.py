"""Pushes on their way to the deployment's push service: rings first, and none after it has expired."""

from datetime import datetime, timedelta
from typing import Final

import structlog

from domain.deliveries.courier import Courier, doubled
from domain.deliveries.outbox import Outbox
from domain.ports import NotTaken, Push, PushTransport
from domain.world import World

log = structlog.get_logger(__name__)

# Deliveries of one process at a time.
AT_ONCE: Final = 20
# Seconds that a delivery may take; less than the outbox's `taken_for`, within which it is nobody else's.
PATIENCE: Final = 5.0
# A bound for what ends its process each time; everything else expires before.
MOST_ATTEMPTS: Final = 200
# Seconds between two tries double from the first to the longest: a ring has no time to lose.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final[dict[PushTransport, float]] = {"voip": 3.0, "alert": 300.0}
# While one push of a call is on its way to a person, the next waits, so that the service has them in order.
PUSHES: Final = Outbox(
    "push",
    Push,
    alive=f"item.expires_at > :now AND item.attempts < {MOST_ATTEMPTS}",
    free="""
        NOT EXISTS (
            SELECT FROM nchat_push_outbox AS other
            WHERE other.collapse_id = item.collapse_id AND other.user_id = item.user_id AND other.sent_at IS NULL
                AND other.taken_until > :now)
    """,
    order="item.transport = 'voip' DESC, item.next_attempt_at",
    taken_for=timedelta(seconds=15),
    kept=timedelta(days=2),
)


async def deliver_pushes(world: World) -> None:
    """Delivers everything that is due; does nothing in a deployment without a push service."""
    service = world.push_service
    if service is None:
        return

    async def hand_over(push: Push) -> None:
        """Ends when the push expires: a ring is not handed over after its end, however slow the service is."""
        left = (push.expires_at - world.clock.now()).total_seconds()
        if left <= 0:
            raise NotTaken("expired")
        await service.deliver(push, within=min(PATIENCE, left))

    await COURIER.deliver_due(world, hand_over)


def _pause(push: Push) -> timedelta:
    return doubled(FIRST_PAUSE, push.attempt, LONGEST_PAUSE[push.transport])


def _failed(push: Push, error: str, again: datetime) -> None:
    if again >= push.expires_at or push.attempt >= MOST_ATTEMPTS:
        log.warning("push_given_up", push_id=str(push.id), kind=push.kind, attempts=push.attempt, error=error)


COURIER: Final = Courier(PUSHES, AT_ONCE, _pause, "push_oldest", _failed)
