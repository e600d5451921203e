"""Who stood still, a process or a server, took nothing from anybody: on a clock that the test turns, and at the end of a real pool."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from app.database.pool import PoolDatabase, open_pool
from app.database.shares.proof_of_life import EVERY, LATE, STALE, ProofOfLife
from app.database.shares.shared_pool import SharedPool, StatementLimits, pool_size
from app.database.shares.turns import SAFE
from resolvers.sql.database import DatabaseError, GaveWay
from tests.hostile.freezing_proxy import freezing_proxy
from tests.support.log_lines import LogLines
from tests.support.waiting import eventually, within
from tests.transport.asked_turns import PLACES, Room, settled
from tests.transport.test_shared_pool import BOB, Silent

pytestmark = pytest.mark.anyio

NEVER = float("-inf")
STALL = 3.0
NAME = "proof of life"


@dataclass(slots=True)
class Server:
    """Answers when the test wants it to, each question once."""

    asked: list["asyncio.Future[None]"] = field(default_factory=list)

    async def __call__(self) -> None:
        self.asked.append(asyncio.get_running_loop().create_future())
        await self.asked[-1]

    async def answers(self) -> None:
        self.asked[-1].set_result(None)
        await settled()


@dataclass(slots=True)
class Hand:
    """Of the clock."""

    at: float = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
async def lives(server: Server, hand: Hand) -> ProofOfLife:
    return ProofOfLife(server, hand)


@pytest.fixture
async def room(server: Server) -> AsyncIterator[Room]:
    room = Room(PLACES, server)
    yield room
    for question in server.asked:
        question.cancel()
    await room.empty()


async def shows(lives: ProofOfLife) -> None:
    """Returns when the process has shown once more that it runs."""
    before = lives._latest

    async def once_more() -> bool:
        return lives._latest != before

    await eventually(once_more, every=EVERY / 10)


async def has_shown(lives: ProofOfLife, hand: Hand) -> bool:
    """Whether the server has lately shown that it answers."""
    return lives.since(hand.at) > NEVER


async def passes(room: Room, seconds: float) -> None:
    """Time in which the process runs."""
    lives = room.turns._lives
    assert lives is not None
    for _ in range(round(seconds / EVERY)):
        room.now += EVERY
        await shows(lives)


async def test_the_clock_stands_still_while_the_process_does(lives: ProofOfLife, hand: Hand) -> None:
    lives.watch(["a statement"])
    began = lives.now()
    hand.at += STALL
    assert lives.now() - began == pytest.approx(EVERY + LATE)
    await shows(lives)
    hand.at += EVERY
    assert lives.now() - began == pytest.approx(EVERY + LATE + EVERY), "and goes on afterwards"


async def test_no_stall_makes_a_statement_long(lives: ProofOfLife, hand: Hand) -> None:
    lives.watch(["a statement"])
    began = lives.now()
    hand.at += STALL
    assert lives.now() - began < SAFE


async def test_the_clock_goes_on_while_the_process_runs(lives: ProofOfLife, hand: Hand) -> None:
    lives.watch(["a statement"])
    began = lives.now()
    for _ in range(4):
        hand.at += EVERY + LATE / 2
        await shows(lives)
    assert lives.now() - began == pytest.approx(4 * (EVERY + LATE / 2))


async def test_nobody_looks_at_the_clock_while_nothing_runs_and_it_goes_on(lives: ProofOfLife, hand: Hand) -> None:
    lives.watch([])
    began = lives.now()
    await shows(lives)
    hand.at += 60
    assert lives.now() - began == 60


async def test_a_question_shows_what_ran_before_it_a_moment_after_its_answer(lives: ProofOfLife, server: Server, hand: Hand) -> None:
    asked = hand.at
    assert lives.since(hand.at) == NEVER
    await settled()
    hand.at += EVERY
    assert lives.since(hand.at) == NEVER
    await settled()
    assert len(server.asked) == 1, "one at a time"
    await server.answers()
    assert lives.since(hand.at) == NEVER, "other answers may still be on their way"
    await eventually(partial(has_shown, lives, hand))
    assert lives.since(hand.at) == asked
    hand.at += STALE + 0.01
    assert lives.since(hand.at) == NEVER
    await settled()
    server.asked[-1].cancel()


async def test_a_question_that_fails_shows_nothing_and_another_is_asked(lives: ProofOfLife, server: Server, hand: Hand) -> None:
    lives.since(hand.at)
    await settled()
    server.asked[-1].set_exception(DatabaseError("08006", "connection error"))
    await settled()
    assert lives.since(hand.at) == NEVER
    await settled()
    assert len(server.asked) == 2
    await server.answers()
    await eventually(partial(has_shown, lives, hand))
    await settled()
    server.asked[-1].cancel()


async def test_nobody_loses_a_place_or_becomes_heavy_because_the_process_stood_still(room: Room) -> None:
    works = [await room.ask(f"new {number}") for number in range(PLACES.total)]
    bob = await room.ask("bob")
    room.now += STALL
    room.turns.sweep()
    await settled()
    for work in works:
        await room.finish(work)
    assert room.running == [bob.name]
    await room.finish(bob)
    assert not [name for name, share in room.turns._shares.items() if share.lately(room.now) > SAFE or share.is_heavy(room.now)]


async def test_nobody_loses_a_place_before_the_server_has_answered(room: Room, server: Server) -> None:
    works = [await room.ask(f"new {number}") for number in range(PLACES.total)]
    await room.ask("bob")
    await passes(room, STALL / 3)
    assert server.asked
    assert not [work.name for work in works if work.task.done()]
    await server.answers()
    room.turns.sweep()
    await settled()
    # What it answered meanwhile arrives with it.
    for work in works:
        await room.finish(work)
    assert room.running == ["bob"]


async def test_who_still_runs_when_the_server_has_answered_makes_way(room: Room, server: Server) -> None:
    works = [await room.ask(f"new {number}") for number in range(PLACES.total)]
    await room.ask("bob")
    await passes(room, STALL / 3)

    async def has_made_way() -> bool:
        if not server.asked[-1].done():
            await server.answers()
        await passes(room, EVERY)
        return room.running[-1] == "bob"

    await eventually(has_made_way)
    given_up = [work for work in works if work.task.done()]
    assert len(given_up) == PLACES.total - PLACES.heavy
    with pytest.raises(GaveWay):
        await given_up[0].task


async def test_requests_and_looks_are_not_charged_for_it(empty_database_url: str, hand: Hand) -> None:
    async with open_pool(empty_database_url, max_size=pool_size(1)) as pool:
        shared = SharedPool(PoolDatabase(pool, Silent()), 1, StatementLimits(), hand)
        async with shared.request(BOB).transaction():
            hand.at += STALL
        async with shared.look([BOB]):
            hand.at += STALL
        for turns in (shared._requests, shared._looks):
            assert turns._shares[BOB.principal].lately(hand.at) < SAFE


async def test_a_question_that_nobody_answers_ends_with_the_pool(empty_database_url: str, log_lines: LogLines) -> None:
    async with freezing_proxy(empty_database_url) as (proxy, url):
        async with open_pool(url, max_size=2) as pool:
            database = PoolDatabase(pool, Silent())
            await database.ping()
            lives = ProofOfLife(database.ping, time.monotonic)
            proxy.freeze()
            lives.since(lives.now())
            await proxy.someone_waits.wait()
            (question,) = [task for task in asyncio.all_tasks() if task.get_name() == NAME]
        await within(question, 1)
    assert [line["event"] for line in log_lines] == ["connections_cut"]
