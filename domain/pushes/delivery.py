"""Delivering pushes: each once at least, the same one never twice at a time, and none after it has expired."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from domain.ports import Push, PushNotTaken, PushService, PushTransport
from domain.pushes import waiting
from domain.world import World

log = structlog.get_logger(__name__)

# Deliveries of one process at a time.
AT_ONCE: Final = 20
# Seconds that a delivery may take; less than `waiting.TAKEN_FOR`, within which it is nobody else's.
PATIENCE: Final = 5.0
# Seconds until new ones are looked for while others are under way.
LOOK_EVERY: Final = 0.5
# Seconds between two tries double from the first to the longest: a ring has no time to lose.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final[dict[PushTransport, float]] = {"voip": 3.0, "alert": 300.0}


async def deliver_due(world: World) -> None:
    """Delivers everything that is due, in this process beside others; does nothing in a deployment without a push service.

    What a crash or a cancellation cuts off is due again a little later: the service then gets the same push, with the same id, once more.
    """
    if world.push_service is None:
        return
    world.figure("push_oldest", await waiting.oldest_age(world))
    under_way: set[asyncio.Task[None]] = set()
    try:
        while True:
            free = AT_ONCE - len(under_way)
            taken = await waiting.take(world, free) if free else ()
            under_way |= {asyncio.create_task(_deliver(world, world.push_service, push)) for push in taken}
            if not under_way:
                return
            done, under_way = await asyncio.wait(under_way, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
            for delivery in done:
                delivery.result()
    finally:
        await _give_up(under_way)


async def _give_up(under_way: set[asyncio.Task[None]]) -> None:
    for delivery in under_way:
        delivery.cancel()
    if under_way:
        await asyncio.wait(under_way)


async def _deliver(world: World, service: PushService, push: Push) -> None:
    """One try, which ends when the push expires: a ring is not handed over after its end, however slow the service is."""
    left = (push.expires_at - world.clock.now()).total_seconds()
    if left <= 0:
        return
    try:
        await service.deliver(push, within=min(PATIENCE, left))
    except PushNotTaken as failure:
        await _try_again(world, push, str(failure))
    else:
        await waiting.settle(world, push)


async def _try_again(world: World, push: Push, error: str) -> None:
    next_attempt_at = world.clock.now() + pause(push)
    await waiting.settle(world, push, error=error, next_attempt_at=next_attempt_at)
    if _was_the_last(push, next_attempt_at):
        log.warning("push_given_up", push_id=str(push.id), kind=push.kind, attempts=push.attempt, error=error)


def _was_the_last(push: Push, next_attempt_at: datetime) -> bool:
    return next_attempt_at >= push.expires_at or push.attempt >= waiting.MOST_ATTEMPTS


def pause(push: Push) -> timedelta:
    """How long after its latest try, which failed, a push is tried again."""
    doubled = FIRST_PAUSE * 2 ** min(push.attempt - 1, 16)
    return timedelta(seconds=min(doubled, LONGEST_PAUSE[push.transport]))
