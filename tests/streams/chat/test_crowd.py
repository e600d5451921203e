"""Many write at a stream while many follow, through two processes with one broker: everybody has each message once, in order.

`make trial-chat` is the whole of it: 10,000 messages, 500 who follow.
"""

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.faults.services import Service
from devstack.demo_data import GENERAL, USER_IDS
from devstack.ports import free_port
from tests.hostile.attacked_service import environment
from tests.streams.chat.crowd import Follower, all_at_once, note, write
from tests.streams.chat.live_stream import STREAM
from tests.support.forked_commands import ForkedCommands
from tests.support.valkey import valkey
from tests.support.whole_service import bearer
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1200)]

SENDERS: Final = 50
EACH: Final = 200 if WHOLE else 3
FOLLOWERS: Final = 500 if WHOLE else 16
# Messages after which somebody leaves and comes back.
STAYS: Final = (200, 3000) if WHOLE else (5, 120)
RATES: Final = {"rate_limit_chat": "1000000 per 10 second"}


@pytest.fixture
async def addresses(demo_database_url: str, commands: ForkedCommands, tmp_path: Path) -> AsyncIterator[list[str]]:
    """Two processes of the service."""
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(valkey(tmp_path))
        settings = {**RATES, "redis_url": f"redis://{redis}"}
        services = [
            Service(free_port(), environment(demo_database_url, settings), tmp_path / f"service-{number}.log", commands.run)
            for number in range(2)
        ]
        for service in services:
            stack.push_async_callback(service.kill)
            await service.start()
        yield [service.address for service in services]


async def people(database: "asyncpg.Connection") -> list[UUID]:
    """Those who write; nobody of them is in the channel."""
    ids = [uuid4() for _ in range(SENDERS)]
    await database.executemany("INSERT INTO nchat_users (id, username) VALUES ($1, $2)", [(one, str(one)) for one in ids])
    return ids


async def test_everybody_has_each_message_once_in_order(demo_database_url: str, addresses: list[str]) -> None:
    database = await asyncpg.connect(demo_database_url)
    try:
        stream_id = await database.fetchval(STREAM, GENERAL, USER_IDS["alice"], "public", "live", True, 0)
        senders, total = await people(database), SENDERS * EACH
        headers = [{}, bearer(USER_IDS["bob"]), bearer(USER_IDS["mallory"]), bearer(USER_IDS["mod"], "moderator")]
        following = [Follower(addresses, stream_id, headers[number % len(headers)], STAYS, number) for number in range(FOLLOWERS)]
        began = time.monotonic()
        writing = [write(addresses, stream_id, bearer(who), EACH, seed) for seed, who in enumerate(senders)]
        written = await all_at_once(following, writing, total)
        took = time.monotonic() - began
        rows = await database.fetch("SELECT seq, user_id, content FROM nchat_stream_chat WHERE stream_id = $1 ORDER BY seq", stream_id)
    finally:
        await database.close()
    assert [row["seq"] for row in rows] == list(range(1, total + 1)) == sorted(seq for seqs in written for seq in seqs)
    truth = hashlib.sha256()
    for row in rows:
        note(truth, row["seq"], row["user_id"], row["content"])
    for follower in following:
        assert follower.out_of_order == []
        assert follower.heard.digest() == truth.digest()
    returns = sum(follower.returns for follower in following) - FOLLOWERS
    assert returns > FOLLOWERS
    figures = f"{total:,} messages of {SENDERS} people to {FOLLOWERS} who follow and came back {returns:,} times: "
    print(f"\n{figures}{took:.1f} s, {total / took:.0f} a second, {total * FOLLOWERS:,} deliveries")  # noqa: T201 - for `pytest -s`
