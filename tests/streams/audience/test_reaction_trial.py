"""Reactions of many people over websockets as fast as they are taken, with an orderly end of the process in the middle.

20,000 of 200 people by `make trial-reactions`, which prints the rate.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from devstack.demo_data import USER_IDS
from devstack.ports import free_port
from tests.hostile.attacked_service import environment
from tests.streams.audience.live_streams import COUNTS, STREAM
from tests.streams.audience.reacting_crowd import Crowd
from tests.support.domain_setup import GENERAL
from tests.support.forked_commands import ForkedCommand, ForkedCommands
from tests.support.waiting import eventually
from tests.trials.scale import WHOLE

pytestmark = pytest.mark.anyio
# The process is told to end when so much of all is answered; few people would be done before they are sent away.
PEOPLE, EACH, MIDDLE = (200, 100, 0.5) if WHOLE else (20, 60, 0.1)
UNLIMITED = {"rate_limit_reaction": "1000000/second"}
BY_TYPE = "SELECT type::text, count(*) FROM nchat_stream_reactions GROUP BY 1"
TOTALS = "SELECT type::text, total FROM nchat_stream_reaction_totals"


async def people(database: "asyncpg.Connection") -> list[UUID]:
    ids = [uuid4() for _ in range(PEOPLE)]
    await database.executemany("INSERT INTO nchat_users (id, username) VALUES ($1, $2)", [(one, str(one)) for one in ids])
    return ids


@pytest.mark.timeout(300)
async def test_totals_are_exact_across_an_orderly_end(commands: ForkedCommands, demo_database_url: str, tmp_path: Path) -> None:
    database = await asyncpg.connect(demo_database_url)
    try:
        stream_id = await database.fetchval(STREAM, GENERAL, USER_IDS["alice"], "public", "live")
        crowd_of = await people(database)
        async with (
            serving(commands, demo_database_url, tmp_path / "first") as (first, process),
            serving(commands, demo_database_url, tmp_path / "second") as (second, _),
        ):
            addresses = [first]
            crowd = Crowd(stream_id, lambda: addresses[-1], EACH)
            began = time.monotonic()
            reacting = asyncio.create_task(crowd.react(crowd_of))
            await eventually(lambda: in_the_middle(crowd), seconds=120)
            addresses.append(second)
            process.send_signal(signal.SIGTERM)
            await reacting
            took = time.monotonic() - began
            await eventually(lambda: is_gone(process))
            assert "Traceback" not in (tmp_path / "first").read_text()
            await verify(database, crowd)
            await eventually(lambda: row_follows(database, stream_id), seconds=3)
        answered, on_their_way = crowd.told.answered.total(), crowd.told.unanswered.total()
        print(f"\n{answered} reactions answered in {took:.1f} s, {answered / took:.0f} a second")  # noqa: T201 - what it is run for
        print(f"{on_their_way} on their way when the first process ended")  # noqa: T201 - what it is run for
    finally:
        await database.close()


@asynccontextmanager
async def serving(commands: ForkedCommands, database_url: str, output: Path) -> AsyncIterator[tuple[str, ForkedCommand]]:
    """`nchat-rtc serve`, and its address once it answers."""
    port = free_port()
    process = commands.run(["serve", "--port", str(port)], environment(database_url, UNLIMITED), output)

    async def answers() -> bool:
        assert process.running, output.read_text()
        try:
            async with httpx2.AsyncClient(timeout=2) as http:
                return (await http.get(f"http://127.0.0.1:{port}/healthz")).is_success
        except httpx2.TransportError:
            return False

    try:
        await eventually(answers, seconds=60)
        yield f"127.0.0.1:{port}", process
    finally:
        await process.end()


async def is_gone(process: ForkedCommand) -> bool:
    return not process.running


async def in_the_middle(crowd: Crowd) -> bool:
    return crowd.told.answered.total() > PEOPLE * EACH * MIDDLE


async def verify(database: "asyncpg.Connection", crowd: Crowd) -> None:
    """Every answer is a row; what is a row besides was on its way when the process ended; totals are the rows'."""
    assert crowd.told.refused == []
    assert crowd.reconnects >= PEOPLE / 2, "somebody was sent away in the middle"
    rows = Counter({row[0]: row[1] for row in await database.fetch(BY_TYPE)})
    assert Counter({row[0]: row[1] for row in await database.fetch(TOTALS)}) == rows
    assert crowd.told.answered.total() + crowd.told.unanswered.total() == PEOPLE * EACH
    beyond = rows - crowd.told.answered
    assert crowd.told.answered - rows == Counter()
    assert beyond - crowd.told.unanswered == Counter()


async def row_follows(database: "asyncpg.Connection", stream_id: UUID) -> bool:
    row = await database.fetchrow(COUNTS, stream_id)
    return row is not None and row["total_reactions"] == await database.fetchval("SELECT count(*) FROM nchat_stream_reactions")
