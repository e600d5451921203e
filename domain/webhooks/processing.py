"""Works out the inbox: a few calls or streams a transaction, several side by side; an event that fails is found and set apart."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.calls.repairs import tell
from domain.short_waits import HeldByAnother
from domain.webhooks import pending
from domain.webhooks.failures import note_failures
from domain.webhooks.hearing import Heard, Owed, Poisoned, Take, hear, poison, take_calls, work_out
from domain.webhooks.streams.in_hand import take_streams
from domain.world import World

# Calls, or streams: few enough that nobody waits long for a lock, many enough that one hardly costs a transaction.
AT_ONCE: Final = 10
TRANSACTIONS_AT_ONCE: Final = 4
Result = TypeVar("Result")


async def process_pending(world: World) -> int:
    """Works out what is due, asks LiveKit for what follows, and returns how many events were dealt with."""
    heard = await hear_all(world)
    await settle_debts(world, heard.owed)
    return heard.count


async def hear_all(world: World) -> Heard:
    """Works out everything that is due but what belongs to calls and streams that somebody else holds (`held` then).

    The events of each go in the order received. Safe on several workers: whoever has the lock has the events. One that fails keeps
    its error and comes again after a growing delay; it holds up neither other rooms nor the rest of its own, since effects never depend
    on the order of arrival.
    """
    heard = Heard()
    while True:
        async with world.transaction("webhook.due") as tx:
            found = await pending.waiting(tx, world.clock.now())
        more = Heard(await _set_aside(world, found.strays))
        for take, ids in ((take_calls, found.calls), (take_streams, found.streams)):
            free = [one for one in ids if one not in heard.left]
            for some in await side_by_side(free, partial(_hear_rooms, world, take)):
                more.add(some)
        heard.add(more)
        if not more.count:
            heard.held = bool(found.calls or found.streams)
            return heard


async def hear_one_by_one(world: World, take: Take[Any], id: UUID) -> Heard:
    """The due events of one call or stream, each in a transaction of its own, so that one that fails is alone with its failure.

    Where somebody holds what one of them needs, it stays where it is, and those behind it.
    """
    heard = Heard()
    while (one := await _hear_one(world, take, id)).count:
        heard.add(one)
    heard.add(one)
    return heard


async def settle_debts(world: World, owed: Sequence[Owed]) -> None:
    """Asks LiveKit for what is owed; an event counts as worked out only when LiveKit has done it."""
    if not owed:
        return
    told = await tell(world, [one.repairs for one in owed])
    outcomes = {one.event_id: failure for one, failure in zip(owed, told, strict=True)}
    if done := [event_id for event_id, failure in outcomes.items() if failure is None]:
        async with world.transaction("webhook.done") as tx:
            await pending.mark_done(tx, done, world.clock.now())
    if failed := {event_id: failure for event_id, failure in outcomes.items() if failure is not None}:
        await note_failures(world, failed, attempted=True)


async def side_by_side(ids: Sequence[UUID], work: Callable[[Sequence[UUID]], Awaitable[Result]]) -> list[Result]:
    """Does the work for a few calls or streams at a time, in several transactions at once."""
    places = asyncio.Semaphore(TRANSACTIONS_AT_ONCE)

    async def some(chosen: Sequence[UUID]) -> Result:
        async with places:
            return await work(chosen)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(some(ids[at : at + AT_ONCE])) for at in range(0, len(ids), AT_ONCE)]
    return [task.result() for task in tasks]


async def _hear_rooms(world: World, take: Take[Any], ids: Sequence[UUID]) -> Heard:
    """All or nothing of a few; when something fails or is held, each by itself."""
    try:
        async with world.transaction("webhook.process") as tx, poison(tx):
            heard = await hear(world, tx, await take(tx, ids))
            await tx.write_down()
        return heard
    except Poisoned:
        if len(ids) == 1:
            return await hear_one_by_one(world, take, ids[0])
    except HeldByAnother:
        if len(ids) == 1:
            return Heard(left=set(ids))
    heard = Heard()
    for id in ids:
        heard.add(await _hear_rooms(world, take, [id]))
    return heard


async def _hear_one(world: World, take: Take[Any], id: UUID) -> Heard:
    events, now = [], world.clock.now()
    try:
        async with world.transaction("webhook.one") as tx:
            held = await take(tx, [id])
            events = await pending.take(tx, [one.room_name for one in held], now, most=1)
            async with poison(tx):
                heard = await work_out(world, tx, held, events)
                await tx.write_down()
        return heard
    except HeldByAnother:
        return Heard(left={id})
    except Poisoned as poisoned:
        await note_failures(world, {event.id: poisoned.__cause__ for event in events}, attempted=False)
        return Heard(len(events))


async def _set_aside(world: World, strays: Sequence[str]) -> int:
    """Events of recorders and of rooms that are nobody's change nothing."""
    if strays:
        async with world.transaction("webhook.strays") as tx:
            await pending.mark_done(tx, strays, world.clock.now())
    return len(strays)
