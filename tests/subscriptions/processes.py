"""Two processes of the service in one: each with a hub and connections of its own, on one database and one broker."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from app.database.transactions import EngineTransactions, open_engine
from app.hints import BroadcastHub, open_hub
from devstack.postgres import EmbeddedPostgres
from domain.feeds.ring_rounds import RingRounds
from domain.ports import Hint, Publisher
from domain.world import World
from tests.support.domain_setup import Setup


@dataclass(slots=True)
class FaultyPublisher:
    """Loses 5 % of the hints, doubles 5 %, and delays a fifth of them, so that later ones overtake them."""

    hub: Publisher
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    faults: Counter[str] = field(default_factory=Counter)
    late: set[asyncio.Task[None]] = field(default_factory=set)

    async def publish(self, hints: Sequence[Hint]) -> None:
        dice = self.chance.random()
        fault = "lost" if dice < 0.05 else "doubled" if dice < 0.1 else "delayed" if dice < 0.3 else "none"
        self.faults[fault] += 1
        if fault == "delayed":
            task = asyncio.create_task(self._later(hints))
            self.late.add(task)
            task.add_done_callback(self.late.discard)
            return
        for _ in range({"lost": 0, "doubled": 2}.get(fault, 1)):
            await self.hub.publish(hints)

    async def _later(self, hints: Sequence[Hint]) -> None:
        await asyncio.sleep(self.chance.random() / 20)
        await self.hub.publish(hints)


class TerminatedHubs:
    """PostgreSQL as the broker of a database's hubs: `kill` ends their connections, and they come back by themselves."""

    url = None

    def __init__(self, server: EmbeddedPostgres, database_url: str) -> None:
        self._server, self._database = server, urlsplit(database_url).path.removeprefix("/")

    def kill(self) -> None:
        hubs = "application_name = 'nchat-rtc hints' AND datname = current_database()"
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {hubs}"
        assert self._server.tool("psql", "-d", self._database, "-qAtc", ended).stdout

    def start(self) -> None:
        """Nothing has stopped."""


@dataclass(frozen=True, slots=True)
class Process:
    world: World
    hub: BroadcastHub
    publisher: Publisher


@asynccontextmanager
async def process(on: Setup, redis_url: str | None, *, faulty: bool = False) -> AsyncIterator[Process]:
    """Without a Redis hints go through the database."""
    async with open_hub(redis_url, on.url) as hub, open_engine(on.url, pool_size=8) as engine:
        publisher: Publisher = FaultyPublisher(hub) if faulty else hub
        transactions = EngineTransactions(engine, publisher)
        rings = RingRounds(transactions, hub, on.world.rules)
        world = replace(on.world, transaction=transactions, publisher=publisher, hub=hub, ring_watch=rings)
        yield Process(world, hub, publisher)
        if isinstance(publisher, FaultyPublisher):
            await asyncio.gather(*publisher.late)
