"""The rules become others while people follow: what they may see goes on where it is, what they may not ends, and nothing comes twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

import resolvers.actions
from app.graphql.served_engine import ServedEngine
from app.graphql.subscriptions import EngineSubscriptions
from domain.calls.access import CALLS
from domain.calls.actions.answer import cancel_call
from permissions.compiling.readable import ReadableRows
from permissions.expressions import FALSE
from permissions.rules import RoleRules
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.feeds.open_rooms import open_rooms
from resolvers.feeds.rooms import FollowedRooms
from resolvers.hand_written.action_fields import scan
from resolvers.live.cohorts import LiveQueries
from schema.model import TableName
from tests.calls.call_states import group, ringing
from tests.subscriptions.listening import EVENTS, RINGS, Listener, seqs
from tests.subscriptions.test_rooms import write
from tests.support.actions import DATABASE, Api
from tests.support.domain_setup import ALICE, BOB, CAROL, Setup, product_rules, session
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio

PARTICIPANTS = TableName("public", "nchat_call_participants")
MY_CALLS = "subscription { nchat_calls { id } }"


class Served:
    """The product's subscriptions, under rules that a test changes."""

    def __init__(self, on: Setup, engine: ServedEngine, live_queries: LiveQueries, rooms: FollowedRooms) -> None:
        self.on, self._engine, self._live_queries, self._rooms = on, engine, live_queries, rooms
        self._to = EngineSubscriptions(engine, live_queries, rooms)
        # A world of its own: others keep the rules that they have.
        self.listeners: list[Listener] = []

    def listen(self, who: Session, query: str, **variables: Any) -> Listener:
        listener = Listener(self._to, Request(query, variables), who, self.on.world)
        self.listeners.append(listener)
        return listener

    async def change(self, *hidden: TableName) -> None:
        """As after SIGHUP: users see nothing of the hidden tables."""
        product = await product_rules(self.on.url)
        rules = dict(product.roles)
        rules["user"] = without(rules["user"], hidden)
        engine = Engine.build(product.catalog, rules, Unshared(DATABASE), scan(resolvers.actions))
        self._engine.replace(engine)
        self._live_queries.begin_anew()
        self._rooms.begin_anew(product.catalog, rules.__getitem__)
        self.on.world.rules.now = ReadableRows(product.catalog, rules.__getitem__)
        self.on.world.ring_watch.begin_anew()


def without(rules: RoleRules, hidden: tuple[TableName, ...]) -> RoleRules:
    return replace(rules, select={name: replace(rule, filter=FALSE) if name in hidden else rule for name, rule in rules.select.items()})


@pytest.fixture
async def served(on: Setup, client: Api) -> AsyncIterator[Served]:
    product = await product_rules(on.url)
    live_queries = LiveQueries(Unshared(DATABASE), on.world.hub.follow)
    async with open_rooms(DATABASE, product.catalog, product.rules, on.world.hub.follow) as rooms:
        served = Served(on, ServedEngine(client.engine), live_queries, rooms)
        yield served
        for listener in served.listeners:
            await listener.stop()


async def test_a_room_goes_on_behind_what_was_sent(on: Setup, served: Served) -> None:
    call_id = await group(on)
    follow = {"call": str(call_id), "after": 0}
    bob, carol = served.listen(session(BOB), EVENTS, **follow), served.listen(session(CAROL), EVENTS, **follow)
    first = len(await on.events(call_id))
    await bob.count(first)
    await carol.count(first)
    await served.change()
    await write(on.world, call_id, 2)
    for one in (bob, carol):
        assert seqs(await one.count(first + 2)) == list(range(1, first + 3))
    # Those who come later follow the same rules.
    late = served.listen(session(BOB), EVENTS, **follow)
    assert seqs(await late.count(first + 2)) == list(range(1, first + 3))
    await served.change(CALLS)
    for one in (bob, carol, late):
        assert (await one.ended()).code == "not-found"
    await write(on.world, call_id, 1)
    assert {len(one.got) for one in (bob, carol, late)} == {first + 2}
    refused = await served.listen(session(BOB), EVENTS, **follow).ended()
    assert refused.code == "not-found"


async def test_rings_begin_with_the_present_state_again(on: Setup, served: Served) -> None:
    bob = served.listen(session(BOB), RINGS)
    assert (await bob.count(1))[0]["openCallIds"] == []
    first = await ringing(on)
    await bob.count(2)
    await served.change()
    snapshot, again = (await bob.count(4))[2:]
    assert (snapshot["kind"], snapshot["openCallIds"]) == ("snapshot", [str(first)])
    assert (again["kind"], again["callId"]) == ("incoming", str(first))
    await cancel_call(on.world, session(ALICE), first)
    assert (await bob.count(5))[-1]["kind"] == "cancelled"
    await ringing(on)
    await bob.count(6)
    # What may not be seen any more rings no more.
    await served.change(PARTICIPANTS)
    assert (await bob.until(lambda got: got[-1]["kind"] == "snapshot"))[-1]["openCallIds"] == []
    witness = served.listen(session(BOB), RINGS)
    assert (await witness.count(1))[0]["openCallIds"] == []


async def test_what_the_domain_asks_follows_too(on: Setup, served: Served) -> None:
    call_id = await group(on)
    calls = served.listen(session(BOB), MY_CALLS)
    assert await calls.count(1) == [[{"id": str(call_id)}]]
    before = on.world.readable
    await served.change(CALLS)
    assert on.world.readable is not before
    assert (await calls.count(2))[-1] == []
