"""One turn of each loop over the database: what is due is decided and committed, and LiveKit told of it beside the loop."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from app.jobs.follow_ups import FollowUps
from app.jobs.supervision import Supervisor, Work, wait_for
from domain.deliveries.events import deliver_events
from domain.deliveries.pushes import deliver_pushes
from domain.event_outbox import TOPIC as EVENTS_TOPIC
from domain.push_outbox import TOPIC as PUSHES_TOPIC
from domain.recordings.life_cycle import PARTS_TOPIC
from domain.recordings.recorder.driving import take_starts, take_stops
from domain.recordings.retention.expiring import BATCH, expire
from domain.recordings.retention.removing import remove_all_due
from domain.streams.dash.packaging import take_dash
from domain.streams.destinations.sending import take_outputs
from domain.streams.viewers.rows import LEAVING_TOPIC
from domain.timeouts import Timeout, decide_due, due_kinds, tell_decided
from domain.webhooks import processing
from domain.world import World

# Seconds until calls are tried again whose lock somebody else had: a request, or another process that works out the same inbox.
HELD_AGAIN_AFTER: Final = 0.05
# Seconds between two looks at pushes that are tried again.
PUSHES_EVERY: Final = 0.5
# The same of events.
EVENTS_EVERY: Final = 1.0
# Seconds between two looks at what is wanted of the recorder.
RECORDINGS_EVERY: Final = 1.0
# Seconds between two looks at viewers who are to be out of a room.
LEAVERS_EVERY: Final = 1.0
# Egresses of one process that LiveKit is asked to begin at a time.
STARTS_AT_ONCE: Final = 50
# Streams that one process repackages at a time.
DASH_AT_ONCE: Final = 4
# Seconds that timeouts wait at start for the first look at LiveKit.
LOOKED_WITHIN: Final = 10.0


async def work_out_webhooks(world: World, follow_ups: FollowUps, wake: asyncio.Event) -> None:
    """All webhooks that are due."""
    heard = await processing.hear_all(world)
    if heard.held:
        asyncio.get_running_loop().call_later(HELD_AGAIN_AFTER, wake.set)
    if heard.owed:
        follow_ups.begin("webhook_repairs", partial(processing.settle_debts, world, heard.owed))


async def tell_pushes(world: World, supervisor: Supervisor) -> None:
    """For as long as the service lives: what was just written at once, and twice a second what is tried again."""
    async with world.hub.follow([PUSHES_TOPIC]) as written:
        while True:
            await supervisor.attempt("pushes", partial(deliver_pushes, world))
            await written.changed(PUSHES_EVERY)


async def tell_events(world: World, supervisor: Supervisor) -> None:
    """For as long as the service lives: what was just written at once, and once a second what is tried again."""
    async with world.hub.follow([EVENTS_TOPIC]) as written:
        while True:
            await supervisor.attempt("events", partial(deliver_events, world))
            await written.changed(EVENTS_EVERY)


async def remove_recordings(world: World) -> None:
    """What expired, and what somebody asked to be removed, until nothing is due."""
    while await expire(world) == BATCH:
        await remove_all_due(world)
    await remove_all_due(world)


async def work_on_recordings(world: World, supervisor: Supervisor, name: str, work: Work, *topics: str) -> None:
    """For as long as the service lives: what is new of recordings, or of `topics`, at once, and once a second what has no hint."""
    await _work_on_news(world, supervisor, name, work, RECORDINGS_EVERY, PARTS_TOPIC, *topics)


async def put_viewers_out(world: World, supervisor: Supervisor, name: str, work: Work) -> None:
    """For as long as the service lives: whoever has just lost the right at once, and once a second who left a stream."""
    await _work_on_news(world, supervisor, name, work, LEAVERS_EVERY, LEAVING_TOPIC)


async def _work_on_news(world: World, supervisor: Supervisor, name: str, work: Work, every: float, *topics: str) -> None:
    async with world.hub.follow(topics) as news:
        while True:
            await supervisor.attempt(name, work)
            await news.changed(every)


async def drive_recordings(world: World, follow_ups: FollowUps) -> None:
    """Has LiveKit asked for what is wanted of it, beside this: one request that takes long holds up no other."""
    for stop in await take_stops(world):
        follow_ups.begin("recording_stop", stop)
    for start in await take_starts(world, most=STARTS_AT_ONCE - follow_ups.many("recording_start")):
        follow_ups.begin("recording_start", start)


async def send_streams_on(world: World, follow_ups: FollowUps) -> None:
    """Has LiveKit asked where else it is to send, and where no more, beside this."""
    for ask in await take_outputs(world):
        follow_ups.begin("stream_output", ask)


async def repackage_streams(world: World, follow_ups: FollowUps) -> None:
    """Has streams repackaged beside this, each for as long as it lasts."""
    for work in await take_dash(world, most=DASH_AT_ONCE - follow_ups.many("stream_dash")):
        follow_ups.begin("stream_dash", work)


async def find_timeouts(world: World, timeouts: Sequence[Timeout[Any]], due: Mapping[str, asyncio.Event]) -> None:
    """Wakes the loops of those that have something to decide; all of them when that can't be known."""
    found = set(due)
    try:
        found = await due_kinds(world, timeouts)
    finally:
        for timeout in timeouts:
            if timeout.name in found:
                due[timeout.name].set()


async def decide_timeouts(world: World, timeout: Timeout[Any], follow_ups: FollowUps, looked: asyncio.Event) -> None:
    """All timeouts of one kind that are due, but none before LiveKit was looked at (`looked`) or did not answer."""
    await wait_for(looked, LOOKED_WITHIN)
    decided = await decide_due(world, timeout)
    if decided.repairs or decided.owed:
        follow_ups.begin("timeout_repairs", partial(tell_decided, world, decided))
