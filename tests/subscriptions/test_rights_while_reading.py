"""A right that ends in the very moment in which the room is read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import pytest

from app.graphql.subscriptions import EngineSubscriptions
from domain.calls.actions.invite import invite_to_call
from resolvers.documents.request import Request
from resolvers.feeds.open_rooms import open_rooms
from resolvers.live.cohorts import LiveQueries
from resolvers.sql.database import Database
from tests.calls.call_states import open_channel_call
from tests.subscriptions.counting_database import CountingDatabase
from tests.subscriptions.listening import EVENTS, Listener, seqs
from tests.subscriptions.test_call_events import UNHINTED
from tests.support.actions import DATABASE, Api
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, newcomers, product_rules, session
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio


class Meddled(CountingDatabase):
    """Before it runs the next statement with `word` in it, something happens."""

    def __init__(self, behind: Database) -> None:
        super().__init__(behind)
        self.word = ""
        self.happens: Callable[[], Awaitable[None]] = nothing

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        if self.word in sql:
            happens, self.happens = self.happens, nothing
            await happens()
        return await super().fetch_json(sql, arguments)


async def nothing() -> None:
    pass


@asynccontextmanager
async def meddled(on: Setup, client: Api) -> AsyncIterator[tuple[Meddled, EngineSubscriptions]]:
    """Subscriptions whose rooms are read through such a database."""
    rules, database = await product_rules(on.url), Meddled(DATABASE)
    async with open_rooms(database, rules.catalog, rules.roles.__getitem__, on.world.hub.follow) as rooms:
        yield database, EngineSubscriptions(client.engine, LiveQueries(Unshared(DATABASE), on.world.hub.follow), rooms)


@pytest.mark.parametrize("word", ["payload", "people"])
@pytest.mark.parametrize("first", [BOB, DAVE], ids=["in another's name", "in his name"])
async def test_a_right_that_ends_while_a_page_is_read(on: Setup, client: Api, word: str, first: UUID) -> None:
    """Nothing of that page reaches him, and nobody else has less for it."""
    call_id = await open_channel_call(on)
    before, (invited,) = len(await on.events(call_id)), await newcomers(on, 1)
    async with meddled(on, client) as (database, subscriptions), AsyncExitStack() as stack:
        request = Request(EVENTS, {"call": str(call_id), "after": before - 1})
        listening: dict[UUID, Listener] = {}
        for who in dict.fromkeys((first, DAVE, CAROL, BOB)):
            listening[who] = Listener(subscriptions, request, session(who), on.world)
            stack.push_async_callback(listening[who].stop)
            await listening[who].count(1)
        removed = listening.pop(DAVE)

        async def remove() -> None:
            await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", DAVE)
            await on.database.execute(UNHINTED, call_id)

        database.word, database.happens = word, remove
        # An event that names somebody who was named by none before.
        await invite_to_call(on.world, session(ALICE), call_id, [invited])
        assert (await removed.ended(seconds=2)).code == "not-found"
        last = len(await on.events(call_id))
        for listener in listening.values():
            got = await listener.until(lambda got: got[-1]["seq"] == last)
            assert seqs(got) == list(range(before, last + 1))
            assert [event["userId"] for event in got if event["kind"] == "call_incoming"] == [str(invited)]
        assert database.happens is nothing
        assert seqs(removed.got) == [before]
