"""A stream begins with many who come within seconds, over HTTP, at one process: each is counted. `make trial-audience` says how many that
are a second, beside the simplest question, and how long a neighbour waits meanwhile."""

import asyncio
import time
from dataclasses import dataclass, field
from uuid import UUID

import httpx2
import orjson
import pytest

from devstack.store import StoreProcess
from tests.media.watchers import process
from tests.playback.broadcast import broadcast
from tests.playback.conftest import store_process as store_process
from tests.streams.audience.live_streams import Counts, tallies
from tests.support.domain_setup import BOB, Setup, newcomers
from tests.support.whole_service import JWT_SECRET, bearer
from tests.trials.scale import WHOLE

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not WHOLE, reason="a measurement for a machine without other work: make trial-audience"),
]
MANY = 2000
# Who come at the same moment.
AT_ONCE = 64
JOIN = "mutation ($id: uuid!) { joinStream(input: {streamId: $id}) { sessionId playbackUrl } }"
SIMPLE = "{ nchat_users(limit: 1) { id } }"
LATER = "time-limit-exceeded"
SETTINGS = {
    "NCHAT_JWT_SECRET": orjson.dumps({"type": "HS256", "key": JWT_SECRET}).decode(),
    "NCHAT_RATE_LIMIT_TOKEN": "1000000/minute",
}


@dataclass(slots=True)
class Crowd:
    """Each sends one request, so many of them at a time."""

    http: httpx2.AsyncClient
    people: list[UUID]
    waits: list[float] = field(default_factory=list)

    async def ask(self, query: str, variables: dict[str, str]) -> float:
        """How many answers a second there are."""
        coming, began = iter([bearer(person) for person in self.people]), time.monotonic()

        async def one_after_the_other() -> None:
            for headers in coming:
                await self.answered(query, variables, headers)

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
        return len(self.people) / (time.monotonic() - began)

    async def answered(self, query: str, variables: dict[str, str], headers: dict[str, str]) -> None:
        """As a client that comes again when it is told so, which a machine with much else to do says now and then."""
        text = LATER
        while LATER in text:
            text = (await self.http.post("/v1/graphql", json={"query": query, "variables": variables}, headers=headers)).text
        assert '"errors"' not in text, text

    async def beside(self) -> None:
        """A neighbour, until this is cancelled."""
        while True:
            began = time.monotonic()
            await self.answered(SIMPLE, {}, bearer(BOB))
            self.waits.append(time.monotonic() - began)
            await asyncio.sleep(0.02)


async def test_each_of_many_who_come_at_once_is_counted(on: Setup, store_process: StoreProcess) -> None:
    people, stream_id = await newcomers(on, MANY), (await broadcast(on, on.store)).stream
    limits = httpx2.Limits(max_connections=AT_ONCE + 1)
    async with process(on.url, store_process, **SETTINGS) as (url, _), httpx2.AsyncClient(base_url=url, timeout=30, limits=limits) as http:
        crowd = Crowd(http, people)
        simple = await crowd.ask(SIMPLE, {})
        neighbour = asyncio.create_task(crowd.beside())
        joins = await crowd.ask(JOIN, {"id": str(stream_id)})
        neighbour.cancel()
        await asyncio.wait([neighbour])
        assert await tallies(on, stream_id) == Counts(MANY, MANY, MANY)
    waited = sorted(crowd.waits)
    waits = f"a neighbour waits {1000 * waited[len(waited) // 2]:.0f} ms, one in twenty {1000 * waited[len(waited) * 19 // 20]:.0f} ms"
    print(f"{joins:.0f} joins a second, {joins / simple:.2f} of {simple:.0f} simple questions; {waits}")  # noqa: T201 - what it is run for
