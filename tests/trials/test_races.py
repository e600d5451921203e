"""Fifty ringing calls, two service processes, two hundred requests in flight: any may win, every history is valid."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle, islice, permutations
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from devstack.livekit_simulator import Simulator
from devstack.ports import free_port
from tests.support.call_history import assert_valid_history
from tests.support.killable_service import KillableService, open_fork_server
from tests.support.waiting import eventually
from tests.support.whole_service import Caller, Refused, bearer, simulated
from tests.trials.consistency import differences, history
from tests.trials.pausable_livekit import PausableClock
from tests.trials.trial_call import TrialCall

pytestmark = pytest.mark.anyio

CALLS = 50
# Until each action has been the first to win somewhere.
ROUNDS = 5
ACTIONS = ("acceptCall", "declineCall", "cancelCall", "endCall")
# A call's fourth event, after initiated, rung and ringing, is the first winner's.
FIRST = {"call_accept": "acceptCall", "call_decline": "declineCall", "call_cancelled": "cancelCall", "call_state_changed": "endCall"}
# What those hear who come too late.
TOO_LATE = {"acceptCall": {"call-ended"}, "declineCall": {"call-ended", "answered-elsewhere"}}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two service processes over one database and one LiveKit; the trial is at the first. Each call has a couple of its own."""

    services: tuple[KillableService, KillableService]
    trial: TrialCall
    couples: Sequence[tuple[UUID, UUID]]

    async def ring(self, caller: UUID, callee: UUID) -> UUID:
        fields = {"type": "audio", "targetUserIds": [str(callee)]}
        return UUID((await self.trial.caller(caller).act("initiateCall", **fields))["callId"])

    async def race(self, number: int, call_id: UUID, actions: Sequence[str]) -> dict[str, str]:
        """All four at once, two at each process; the code of each, empty for those that were done."""
        answers = await asyncio.gather(*(self._attempt(number, call_id, name, (number + turn) % 2) for turn, name in enumerate(actions)))
        return dict(zip(actions, answers, strict=True))

    async def _attempt(self, number: int, call_id: UUID, name: str, where: int) -> str:
        caller, callee = self.couples[number]
        who = callee if name in ("acceptCall", "declineCall") else caller
        try:
            await Caller(self.services[where].http, bearer(who)).act(name, callId=str(call_id))
        except Refused as refusal:
            return refusal.code
        return ""

    async def is_consistent(self) -> bool:
        return not await differences(self.trial)


@pytest.fixture
async def pair(database_url: str) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        ports, pausable = (free_port(), free_port()), PausableClock()
        simulator: Simulator
        simulator, livekit_url = await stack.enter_async_context(simulated(ports[0], pausable))
        forks = await stack.enter_async_context(open_fork_server(database_url))
        services = []
        for port in ports:
            all_at_once = httpx2.Limits(max_connections=None)
            client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=all_at_once)
            http = await stack.enter_async_context(client)
            services.append(KillableService(forks, port, database_url, livekit_url, http))
            stack.callback(services[-1].kill)
            await services[-1].start()
        database = await asyncpg.connect(database_url)
        stack.push_async_callback(database.close)
        trial = await TrialCall(services[0], simulator, pausable, database).gather()
        couples = [(uuid4(), uuid4()) for _ in range(CALLS)]
        await trial.welcome([one for couple in couples for one in couple])
        yield Pair((services[0], services[1]), trial, couples)


async def test_every_action_wins_somewhere_and_every_history_is_valid(pair: Pair) -> None:
    winners: Counter[str] = Counter()
    for _ in range(ROUNDS):
        calls = [await pair.ring(*couple) for couple in pair.couples]
        orders = list(islice(cycle(permutations(ACTIONS)), CALLS))
        races = [pair.race(number, call_id, order) for number, (call_id, order) in enumerate(zip(calls, orders, strict=True))]
        for call_id, answers in zip(calls, await asyncio.gather(*races), strict=True):
            winners[await won(pair, call_id, answers)] += 1
        if winners.keys() == set(ACTIONS):
            break
    assert winners.keys() == set(ACTIONS), winners
    await eventually(pair.is_consistent, seconds=30, every=0.2)


async def won(pair: Pair, call_id: UUID, answers: dict[str, str]) -> str:
    """Who was first; the answers, the events and the rows tell the same story."""
    events = await history(pair.trial, call_id)
    assert_valid_history(events)
    told = {FIRST[event.kind] for event in events if event.kind in ("call_accept", "call_decline", "call_cancelled")}
    done = {name for name, code in answers.items() if not code}
    assert done - {"endCall"} == told, (answers, events)
    # One of them ended the call; only accepting it leaves that to another.
    assert len(done - {"acceptCall"}) == 1, answers
    for name in ACTIONS:
        assert name in done or answers[name] in TOO_LATE.get(name, {"call-ended"}), answers
    row = await pair.trial.database.fetchrow("SELECT status::text, end_reason::text FROM nchat_calls WHERE id = $1", call_id)
    assert row is not None
    assert tuple(row) == ("ended", events[-1].payload["reason"])
    return FIRST[events[3].kind]
