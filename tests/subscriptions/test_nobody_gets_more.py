"""Never a byte to someone who may not see it: random rules, people and writes, and each frame beside what a query of that person gives."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import pytest
from hypothesis import event, given, settings

from app.graphql.subscriptions import EngineSubscriptions
from domain.ports import Hint
from domain.world import World
from permissions.rules import RoleRules
from resolvers.actions.calls.event_feed import CALL_EVENTS, CALLS, PARTICIPANTS, USERS
from resolvers.documents.limits import Limits
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.feeds.open_rooms import open_rooms
from resolvers.live.cohorts import LiveQueries
from resolvers.roles.role_views import RoleViews
from resolvers.roles.whole_schema import EngineSchema, whole_schema
from tests.calls.call_states import open_channel_call
from tests.permissions.test_rules_agree import fixed
from tests.subscriptions.listening import Listener
from tests.subscriptions.people_of_a_call import FEED, FollowsEvents, FollowsTables, Person
from tests.subscriptions.random_access import Phase, Scenario, scenarios
from tests.subscriptions.stream_chats import FEEDS
from tests.support.actions import DATABASE, Api
from tests.support.domain_setup import GENERAL, MALLORY, Setup, product_rules
from tests.support.unshared import Unshared
from tests.support.waiting import eventually

# Whatever fails is reported with the whole world in it.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore:Generating overly large repr")]

MEMBERS: Final = "INSERT INTO nchat_channel_members (channel_id, user_id) SELECT $1, id FROM nchat_users ON CONFLICT DO NOTHING"
INVITED: Final = (
    "INSERT INTO nchat_call_participants (call_id, user_id) SELECT $1, id FROM nchat_users ORDER BY id LIMIT 3 ON CONFLICT DO NOTHING"
)
SCHEMAS: list[EngineSchema] = []


@asynccontextmanager
async def product(client: Api, rules: Mapping[str, RoleRules]) -> AsyncIterator[tuple[Engine, EngineSubscriptions]]:
    """The product with other rules."""
    catalog = (await product_rules(client.on.url)).catalog
    if not SCHEMAS:
        SCHEMAS.append(whole_schema(catalog, FEEDS))
    database, hints = Unshared(DATABASE), client.on.world.hub.follow
    engine = Engine(catalog, RoleViews(catalog, rules, SCHEMAS[0]), database, Limits(), {})
    async with open_rooms(DATABASE, catalog, rules.__getitem__, hints) as rooms:
        yield engine, EngineSubscriptions(engine, LiveQueries(database, hints), rooms)


@settings(fixed, max_examples=12)
@given(scenario=scenarios())
async def test_nobody_gets_what_their_own_query_would_not_give(on: Setup, client: Api, scenario: Scenario) -> None:
    rules = scenario.rules((await product_rules(on.url)).roles)
    # The example before has left others.
    await on.database.execute(MEMBERS, GENERAL)
    await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", MALLORY)
    call_id = await open_channel_call(on)
    await on.database.execute(INVITED, call_id)
    following: list[FollowsEvents | FollowsTables] = []
    async with product(client, rules) as (engine, subscriptions):
        people = [Person(engine, session, call_id) for session in scenario.sessions]
        try:
            for phase in scenario.phases:
                await look(people)
                begun = zip(people, phase.begun, strict=True)
                following += [begin(person, subscriptions, on.world, query, after) for person, (query, after) in begun]
                await settle(following)
                await change(on, call_id, phase)
                await look(people)
                await settle(following)
        finally:
            await asyncio.gather(*(one.listener.stop() for one in following))
    told = [one for one in following if one.listener.got]
    event(f"{len(told) * 10 // len(following) * 10} % were told something")


def begin(person: Person, to: EngineSubscriptions, world: World, query: str | None, after: int) -> FollowsEvents | FollowsTables:
    variables = {"call": str(person.call_id)}
    if query is None:
        return FollowsEvents(person, Listener(to, Request(FEED, {**variables, "after": after}), person.session, world), after)
    return FollowsTables(
        person, Listener(to, Request(f"subscription ($call: uuid!) {{ {query} }}", variables), person.session, world), query
    )


async def look(people: Sequence[Person]) -> None:
    await asyncio.gather(*(person.look() for person in people))


async def settle(following: list[FollowsEvents | FollowsTables]) -> None:
    for one in following:
        try:
            await eventually(one.has_settled)
        except AssertionError as error:
            error.add_note(f"{one.person.session}, {one.listener.refused}: {one.listener.got}")
            raise
    for one in following:
        await one.check()


async def change(on: Setup, call_id: UUID, phase: Phase) -> None:
    """One statement, which all hear of."""
    await on.database.execute(phase.write, call_id, phase.who)
    tables = [f"table:{table.name}" for table in (CALLS, CALL_EVENTS, PARTICIPANTS, USERS)] + ["table:nchat_channel_members"]
    await on.publisher.publish([Hint(topic) for topic in (f"call:{call_id}", *tables)])
