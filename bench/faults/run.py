"""One run: subscribers, writers, processes and troubles together, until so much was delivered and everybody has all of it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from bench.faults.calls import connected, open_calls, truth_of
from bench.faults.faulty_broker import TROUBLES, faulty_broker
from bench.faults.history import TRUTH, Checked, Line, check
from bench.faults.parties import AUDIENCES, JWT_SECRET, dice_of, subscribers, writers
from bench.faults.services import Launch, Service, spawn
from bench.faults.subscriber import Subscriber
from bench.faults.troubles import IN_PEACE, Broker, Seconds, Troubles
from devstack.ports import free_port

PROCESSES: Final = 2
# Seconds until everybody has everything once nothing is broken any more, and in which nothing may come twice.
CATCH_UP, QUIET = 60.0, 1.0
LOOK_EVERY, TELL_EVERY = 0.2, 5.0
Followed = Sequence[tuple[int, Subscriber]]


@dataclass(frozen=True, slots=True)
class Size:
    """`rate` are the transactions of one writer in a second, half of `writers` being people.
    A process serves `in_peace` for so many seconds before it is killed; `launch` starts it.
    """

    subscribers: int = 300
    deliveries: int = 500_000
    writers: int = 4
    rate: float = 25.0
    seed: int = 0
    in_peace: Seconds = IN_PEACE
    launch: Launch = spawn


@dataclass(frozen=True, slots=True)
class Outcome:
    """`met` counts troubles, `written` what writers heard, `ended` how connections of subscribers ended; `refused` are their errors."""

    checked: Checked
    seconds: float
    met: Counter[str]
    written: Counter[str]
    ended: Counter[str]
    refused: Sequence[Any]


async def run(database_url: str, folder: Path, size: Size, say: Callable[[str], None]) -> Outcome:
    """Over the demo data, at the superuser's address of its database; files go to the folder, progress is said.

    Raises TimeoutError where a process does not come up.
    """
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        async with connected(database_url) as database:
            calls = await open_calls(database, len(AUDIENCES))
        broker, services, hints = await _servers(stack, database_url, folder, size)
        addresses = [service.address for service in services]
        troubles = Troubles(broker, _beside(database_url), _name(database_url), services, dice_of(size.seed, "troubles"), size.in_peace)
        followed = list(subscribers(size.subscribers, calls, addresses, folder, size.seed))
        writing = list(writers(size.writers, size.rate, calls, addresses, database_url, size.seed))
        async with _going_on(one.follow() for _, one in followed):
            async with _going_on(one.write() for one in writing):
                breaking = asyncio.create_task(troubles.go_on())
                await _delivered(followed, size.deliveries, breaking, hints, lambda so_far: say(_progress(began, so_far, troubles.met)))
                troubles.end()
                await breaking
            truth = await _settled(database_url, calls, followed)
    for place, lines in enumerate(truth):
        (folder / TRUTH.format(place)).write_text("".join(map(str, lines)))
    return Outcome(
        check(folder),
        time.monotonic() - began,
        troubles.met + Counter({f"hints {what}": many for what, many in hints.items()}),
        sum((one.done for one in writing), Counter()),
        sum((one.met for _, one in followed), Counter()),
        [refusal for _, one in followed for refusal in one.refused],
    )


async def _servers(stack: AsyncExitStack, database_url: str, folder: Path, size: Size) -> tuple[Broker, list[Service], Counter[str]]:
    """All up, until the stack ends them."""
    broker = Broker(folder)
    stack.callback(broker.stop)
    proxy, redis_url = await stack.enter_async_context(faulty_broker(broker.port, dice_of(size.seed, "hints")))
    settings = {
        "NCHAT_DATABASE_URL": database_url,
        "NCHAT_JWT_SECRET": JWT_SECRET,
        "NCHAT_LIVEKIT_ENABLED": "false",
        "NCHAT_REDIS_URL": redis_url,
    }
    services = [Service(free_port(), settings, folder / f"service-{number}.log", size.launch) for number in range(PROCESSES)]
    for service in services:
        stack.push_async_callback(service.kill)
    await asyncio.gather(*(service.start() for service in services))
    return broker, services, proxy.done


@asynccontextmanager
async def _going_on(works: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Each until the block ends; raises what ended one of them before."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        failures = [one for one in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(one, Exception)]
    if failures:
        raise ExceptionGroup("ended before its time", failures)


async def _delivered(
    followed: Followed, goal: int, breaking: "asyncio.Task[None]", hints: Counter[str], tell: Callable[[int], None]
) -> None:
    """Returns when all together were sent so many events, and hints met whatever may happen to them; raises what ended the breaking."""
    told = time.monotonic()
    while (so_far := sum(one.taken for _, one in followed)) < goal or not all(hints[fate] for fate in TROUBLES):
        if breaking.done():
            breaking.result()
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            tell(so_far)
        await asyncio.sleep(LOOK_EVERY)


async def _settled(database_url: str, calls: Sequence[UUID], followed: Followed) -> Sequence[Sequence[Line]]:
    """What there is in the end: somebody's last action may be committed after they heard that they were cut off."""
    truth: Sequence[Sequence[Line]] = []
    give_up = time.monotonic() + CATCH_UP
    while truth != (found := await _truth(database_url, calls)):
        truth = found
        await _caught_up(followed, truth, give_up)
    return truth


async def _caught_up(followed: Followed, truth: Sequence[Sequence[Line]], give_up: float) -> None:
    """Waits for those who are behind, as long as it is patient, and then for what nobody should be sent any more."""
    behind = True
    while behind and time.monotonic() < give_up:
        await asyncio.sleep(LOOK_EVERY)
        behind = any(one.cursor < len(truth[call]) for call, one in followed)
    await asyncio.sleep(QUIET)


async def _truth(database_url: str, calls: Sequence[UUID]) -> Sequence[Sequence[Line]]:
    async with connected(database_url) as database:
        return [await truth_of(database, call_id) for call_id in calls]


def _progress(began: float, so_far: int, met: Counter[str]) -> str:
    return f"  {time.monotonic() - began:5.0f} s  {so_far:9,} deliveries; " + ", ".join(f"{many} {what}" for what, many in met.items())


def _name(database_url: str) -> str:
    return urlsplit(database_url).path.removeprefix("/")


def _beside(database_url: str) -> str:
    """Another database of the same server."""
    return urlunsplit(urlsplit(database_url)._replace(path="/postgres"))
