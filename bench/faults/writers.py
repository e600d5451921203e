"""Those who make events: a program that knows nothing of the service and writes rows, and people who act through it."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx2

from bench.faults.calls import SEATED
from devstack.demo_data import USER_IDS

# Events of one transaction, as the service writes them: their numbers are taken under a lock that is held until the commit.
WRITE: Final = """WITH taken AS (UPDATE nchat_call_counters SET event_seq = event_seq + $3::int WHERE call_id = $1 RETURNING event_seq)
    INSERT INTO nchat_call_events (call_id, seq, kind, actor_id, payload)
    SELECT $1, event_seq - $3::int + n, 'connection_quality_changed', $2, jsonb_build_object('stats', random())
    FROM taken, generate_series(1, $3::int) n"""
# Mostly one, now and then a crowd.
MANY: Final = (1, 1, 1, 1, 2, 5)
# Seconds that some transactions stay open after they have their numbers.
HELD: Final = 0.1
ACT: Final = "mutation ($call: uuid!, $muted: Boolean!) { setMuted(input: {callId: $call, trackType: screen, muted: $muted}) { callId } }"
GONE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class ForeignWriter:
    """Writes rows by SQL, without a hint to anybody; `done` counts what it heard of each transaction."""

    def __init__(self, database_url: str, calls: Sequence[UUID], rate: float, dice: random.Random) -> None:
        self._url, self._calls, self._rate, self._dice = database_url, calls, rate, dice
        self.done: Counter[str] = Counter()

    async def write(self) -> None:
        """Until it is cancelled; whoever cuts it off can't keep it from coming back."""
        while True:
            try:
                await self._write()
            except GONE:
                # Committed or not: PostgreSQL knows.
                self.done["cut off"] += 1
                await asyncio.sleep(0.1)

    async def _write(self) -> None:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(self._url, timeout=5, server_settings={"application_name": "a writer"})
        try:
            while True:
                async with connection.transaction():
                    call, actor = self._dice.choice(self._calls), USER_IDS[self._dice.choice(SEATED)]
                    await connection.execute(WRITE, call, actor, self._dice.choice(MANY))
                    if self._dice.random() < 0.05:
                        await asyncio.sleep(HELD)
                self.done["committed"] += 1
                await asyncio.sleep(self._dice.uniform(0, 2 / self._rate))
        finally:
            connection.terminate()


class Person:
    """Acts through any of the processes, again and again."""

    def __init__(
        self, addresses: Sequence[str], tokens: Mapping[str, str], calls: Sequence[UUID], rate: float, dice: random.Random
    ) -> None:
        self._addresses, self._tokens, self._calls, self._rate, self._dice = addresses, tokens, calls, rate, dice
        self.done: Counter[str] = Counter()

    async def write(self) -> None:
        """Until it is cancelled."""
        async with httpx2.AsyncClient(timeout=10) as http:
            while True:
                try:
                    self.done[await self._act(http)] += 1
                except httpx2.TransportError:
                    self.done["cut off"] += 1
                await asyncio.sleep(self._dice.uniform(0, 2 / self._rate))

    async def _act(self, http: httpx2.AsyncClient) -> str:
        name = self._dice.choice(SEATED)
        variables = {"call": str(self._dice.choice(self._calls)), "muted": self._dice.random() < 0.5}
        url = f"http://{self._dice.choice(self._addresses)}/v1/graphql"
        answer = await http.post(url, json={"query": ACT, "variables": variables}, headers={"authorization": self._tokens[name]})
        return "committed" if "data" in answer.json() else str(answer.json()["errors"][0]["extensions"]["code"])
