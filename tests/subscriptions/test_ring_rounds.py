"""Those who wait for rings are asked for together, and only those for whom something changed look."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.hints import BroadcastHub, open_hub
from domain.feeds import ring_rounds
from domain.feeds.ring_rounds import RingRounds
from domain.ports import Hint
from domain.world import Readable, ServedRules, Transaction
from permissions.errors import GraphQLRefusal
from permissions.session import USER_ID, Session
from tests.calls.call_states import ringing
from tests.subscriptions.listening import RINGS, Listeners
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session
from tests.support.log_lines import LogLines
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

SOON = 5.0


class CountedTransactions:
    """The world's, counted; `away`: none can be opened."""

    def __init__(self, on: Setup) -> None:
        self._open, self.opened, self.away = on.world.transaction, 0, False

    def __call__(self, name: str) -> AbstractAsyncContextManager[Transaction]:
        assert name == "rings.look"
        self.opened += 1
        if self.away:
            raise ConnectionRefusedError
        return self._open(name)

    async def more(self, rounds: int) -> None:
        """Returns after so many more rounds of one statement each."""
        before = self.opened

        async def enough() -> bool:
            return self.opened > before + rounds

        await eventually(enough)


class Devices:
    """Tasks that wait for rings, and are done when they are told to look. `hub` has hints of the test's alone."""

    def __init__(self, rounds: RingRounds, hub: BroadcastHub, stack: AsyncExitStack) -> None:
        self.rounds, self.hub, self._stack = rounds, hub, stack

    def __call__(self, who: Session, known: Mapping[UUID, str] | None = None) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._wait(who, known or {}))
        self._stack.push_async_callback(_stop, task)
        return task

    async def _wait(self, who: Session, known: Mapping[UUID, str]) -> None:
        async with self.rounds.follow(who) as following:
            await following.changed(known)


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def transactions(on: Setup) -> CountedTransactions:
    return CountedTransactions(on)


@asynccontextmanager
async def waiting(
    on: Setup, transactions: CountedTransactions, look_every: float, readable: Readable | None = None
) -> AsyncIterator[Devices]:
    async with open_hub() as hub, AsyncExitStack() as stack:
        yield Devices(RingRounds(transactions, hub, ServedRules(readable or on.world.readable), look_every=look_every), hub, stack)


async def told(devices: Collection["asyncio.Task[None]"]) -> None:
    """All of them are told to look; raises what ended one of them."""
    async with asyncio.timeout(SOON):
        await asyncio.gather(*devices)


async def since(on: Setup, call_id: UUID) -> str:
    found = "SELECT to_json(invited_at) #>> '{}' FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2"
    return str(await on.database.fetchval(found, call_id, BOB))


async def test_one_statement_finds_the_one_whose_ring_nobody_hinted_at(on: Setup, transactions: CountedTransactions) -> None:
    async with waiting(on, transactions, 0.02) as device:
        others = [device(session(who)) for who in (ALICE, CAROL, DAVE) for _ in range(20)]
        bob = [device(session(BOB)) for _ in range(20)]
        await transactions.more(3)
        assert not any(one.done() for one in (*others, *bob))
        call_id = await ringing(on)
        known = {call_id: await since(on, call_id)}
        await told(bob)
        knows = device(session(BOB), known)
        await transactions.more(3)
        assert not any(one.done() for one in (*others, knows))
        # Another ring of the same call, and its end.
        await on.database.execute("UPDATE nchat_call_participants SET invited_at = invited_at + interval '1 us' WHERE user_id = $1", BOB)
        await told([knows])
        knows = device(session(BOB), {call_id: await since(on, call_id)})
        await on.database.execute("UPDATE nchat_call_participants SET status = 'left' WHERE user_id = $1", BOB)
        await told([knows])
        assert not any(one.done() for one in others)


class CountedWaits:
    """`domain.world.RingFollowing` and its `RingWatch`: each look ends in waiting once more."""

    def __init__(self, rounds: RingRounds) -> None:
        self._rounds, self.waits = rounds, 0

    @asynccontextmanager
    async def follow(self, who: Session) -> AsyncIterator["CountedWaits"]:
        async with self._rounds.follow(who) as self._following:
            yield self

    def begin_anew(self) -> None:
        self._rounds.begin_anew()

    async def changed(self, known: Mapping[UUID, str]) -> None:
        self.waits += 1
        await self._following.changed(known)


async def test_who_knows_of_a_ring_looks_no_more_until_it_ends(on: Setup, transactions: CountedTransactions, listen: Listeners) -> None:
    async with waiting(on, transactions, 0.02) as device:
        counted = CountedWaits(device.rounds)
        listener = (await listen.in_world(replace(on.world, ring_watch=counted)))(session(BOB), RINGS)
        # The snapshot: from now on it waits.
        await listener.count(1)
        call_id = await ringing(on)
        await listener.count(2)
        await transactions.more(4)
        assert (len(listener.got), counted.waits) == (2, 2)
        await on.database.execute("DELETE FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2", call_id, BOB)
        assert [ring["kind"] for ring in await listener.count(3)] == ["snapshot", "incoming", "cancelled"]


async def test_a_hint_wakes_the_one_whom_it_is_for(on: Setup, transactions: CountedTransactions) -> None:
    async with waiting(on, transactions, 3600) as device:
        bob, carol = device(session(BOB)), device(session(CAROL))

        async def bob_is_told() -> bool:
            await device.hub.publish([Hint(f"user:{BOB}")])
            return bob.done()

        await eventually(bob_is_told)
        assert not carol.done()
        assert transactions.opened == 0


async def test_nobody_is_told_of_a_ring_that_the_role_does_not_show(on: Setup, transactions: CountedTransactions) -> None:
    await ringing(on)
    async with waiting(on, transactions, 0.02) as device:
        blind = device(Session("anonymous", {USER_ID: str(BOB)}))
        another = device(session(CAROL))
        moderator = device(session(BOB, "moderator"))
        await told([moderator, device(session(BOB))])
        await transactions.more(4)
        assert not blind.done()
        assert not another.done()


class WhileUnmuted:
    """A rule of another deployment's: only who is not muted, and whose token has the word, sees a place."""

    def by_values(self, _role: str, _table: object, from_: Any, value_of: Any) -> sa.ColumnElement[bool]:
        return sa.and_(from_.c.is_muted.is_(False), value_of("x-hasura-word") == "open")


async def test_a_right_is_each_ones_own_and_who_loses_it_looks(on: Setup, transactions: CountedTransactions) -> None:
    call_id = await ringing(on)
    has_the_word, has_not = (Session("user", {USER_ID: str(BOB), "x-hasura-word": word}) for word in ("open", "closed"))
    async with waiting(on, transactions, 0.02, cast(Readable, WhileUnmuted())) as device:
        blind = device(has_not)
        await told([device(has_the_word)])
        knows = device(has_the_word, {call_id: await since(on, call_id)})
        await transactions.more(3)
        assert not knows.done()
        await on.database.execute("UPDATE nchat_call_participants SET is_muted = true WHERE user_id = $1", BOB)
        await told([knows])
        assert not blind.done()


class Since:
    """A rule of another deployment's that reads a time in the token."""

    def by_values(self, _role: str, _table: object, from_: Any, value_of: Any) -> sa.ColumnElement[bool]:
        return cast("sa.ColumnElement[bool]", from_.c.invited_at >= sa.cast(value_of("x-hasura-since"), sa.DateTime(timezone=True)))


async def test_a_value_of_no_use_is_its_owners_trouble_alone(
    on: Setup, transactions: CountedTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not read before there is a row; then its owner looks, and hears of it there."""
    monkeypatch.setattr(ring_rounds, "PATIENCE", 0.05)
    async with waiting(on, transactions, 0.02, cast(Readable, Since())) as device:
        odd = device(Session("user", {USER_ID: str(BOB), "x-hasura-since": "no time"}))
        good = [device(Session(role, {USER_ID: str(BOB), "x-hasura-since": "1999-01-01"})) for role in ("user", "moderator")]
        another = device(Session("user", {USER_ID: str(CAROL), "x-hasura-since": "1999-01-01"}))
        await transactions.more(2)
        await ringing(on)
        await told([odd, *good])
        await transactions.more(4)
        assert not another.done()


async def test_a_session_of_nobody_is_refused_and_leaves_no_trace(on: Setup, transactions: CountedTransactions) -> None:
    async with waiting(on, transactions, 0.02) as device:
        with pytest.raises(GraphQLRefusal, match="x-hasura-user-id"):
            await device(Session("user"))
        assert transactions.opened == 0


async def test_a_database_that_stays_away_ends_the_waiting_and_one_that_comes_back_does_not(
    on: Setup, transactions: CountedTransactions, monkeypatch: pytest.MonkeyPatch, log_lines: LogLines
) -> None:
    async with waiting(on, transactions, 0.02) as device:
        bob = device(session(BOB))
        await transactions.more(1)
        transactions.away = True
        await transactions.more(3)
        transactions.away = False
        await transactions.more(1)
        await ringing(on)
        await told([bob])
        assert [line["event"] for line in log_lines] == ["rings_unread"]
        carol = device(session(CAROL))
        await transactions.more(1)
        monkeypatch.setattr(ring_rounds, "PATIENCE", 0.05)
        transactions.away = True
        with pytest.raises(ConnectionRefusedError):
            await told([carol])


async def test_nothing_looks_when_nobody_waits(on: Setup, transactions: CountedTransactions) -> None:
    async with waiting(on, transactions, 0.02) as device:
        device(session(BOB))
        await transactions.more(1)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "rings"]
