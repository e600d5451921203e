"""A room is read once for all who follow it, and nobody's trouble is that of the others."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from app.graphql.subscriptions import EngineSubscriptions
from domain.calls import events
from domain.calls.actions.kick import kick_participant
from domain.world import World
from permissions.expressions import Compare, Constant
from permissions.session import Session
from resolvers.actions.calls.event_feed import CALL_EVENTS
from resolvers.documents.limits import Limits
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.feeds.follower import Follower
from resolvers.feeds.open_rooms import open_rooms
from resolvers.feeds.told import EventBatch
from resolvers.hand_written.room_feed import Event
from resolvers.live.cohorts import LiveQueries
from resolvers.roles.role_views import RoleViews
from resolvers.roles.whole_schema import whole_schema
from resolvers.sql.database import DatabaseError
from tests.calls.call_states import answered, group, open_channel_call, participant_id
from tests.subscriptions.counting_database import CountingDatabase
from tests.subscriptions.listening import EVENTS, Listener, Listeners, seqs
from tests.subscriptions.stream_chats import FEEDS
from tests.support.actions import DATABASE, Api
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, product_rules, session
from tests.support.unshared import Unshared
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def write(world: World, call_id: UUID, count: int) -> None:
    for _ in range(count):
        async with world.transaction("test") as tx:
            await events.append(tx, call_id, "call_video_changed", ALICE, {"enabled": True})


@pytest.fixture
def database() -> CountingDatabase:
    return CountingDatabase(DATABASE)


@pytest.fixture
async def counted(on: Setup, client: Api, database: CountingDatabase) -> AsyncIterator[EngineSubscriptions]:
    """Subscriptions whose rooms are read through the counting database."""
    rules = await product_rules(on.url)
    async with open_rooms(database, rules.catalog, rules.roles.__getitem__, on.world.hub.follow) as rooms:
        yield EngineSubscriptions(client.engine, LiveQueries(Unshared(DATABASE), on.world.hub.follow), rooms)


def pages(database: CountingDatabase) -> int:
    """How often events were read."""
    return sum("payload" in sql for sql in database.asked)


@pytest.mark.parametrize("followers", [1, 40])
async def test_an_event_is_read_once_whoever_follows(
    on: Setup, counted: EngineSubscriptions, database: CountingDatabase, followers: int
) -> None:
    call_id = await group(on)
    request = Request(EVENTS, {"call": str(call_id), "after": len(await on.events(call_id))})
    listening = [Listener(counted, request, session((ALICE, BOB, CAROL)[n % 3]), on.world) for n in range(followers)]
    await write(on.world, call_id, 1)
    await asyncio.gather(*(one.until(bool) for one in listening))
    database.asked.clear()
    await write(on.world, call_id, 1)
    last = len(await on.events(call_id))
    await asyncio.gather(*(one.until(lambda got: got[-1]["seq"] == last) for one in listening))
    # One, and one more where a round over all rooms came to it in the same moment.
    assert pages(database) <= 2
    await asyncio.gather(*(one.stop() for one in listening))


async def test_who_could_not_be_told_is_told_by_the_next_round(on: Setup, counted: EngineSubscriptions, database: CountingDatabase) -> None:
    """Of two documents one is read and the other not, and nothing more happens in the room."""
    call_id = await group(on)
    last = len(await on.events(call_id))
    documents = [EVENTS, EVENTS.replace("kind callId", "kind")]
    listening = [Listener(counted, Request(one, {"call": str(call_id), "after": last}), session(BOB), on.world) for one in documents]
    await write(on.world, call_id, 1)
    await asyncio.gather(*(one.until(bool) for one in listening))
    reads = iter([False, True])
    database.cuts = lambda sql: "payload" in sql and next(reads)
    await write(on.world, call_id, 1)
    for one in listening:
        assert seqs(await one.count(2, seconds=3)) == [last + 1, last + 2]
    assert next(reads, None) is None
    await asyncio.gather(*(one.stop() for one in listening))


async def test_many_who_come_back_at_once_share_what_is_read(on: Setup, counted: EngineSubscriptions, database: CountingDatabase) -> None:
    call_id = await group(on)
    await write(on.world, call_id, 30)
    last = len(await on.events(call_id))
    request = Request(EVENTS, {"call": str(call_id), "after": 5})
    listening = [Listener(counted, request, session((ALICE, BOB, CAROL)[n % 3]), on.world) for n in range(60)]
    for one in listening:
        assert seqs(await one.count(last - 5)) == list(range(6, last + 1))
    # Rights and replay: those who come while a statement runs go into the next.
    assert len(database.asked) < 30
    await asyncio.gather(*(one.stop() for one in listening))


@dataclass(slots=True)
class Moody:
    """A short way that is blocked now and then."""

    dice: random.Random
    seqs: list[int] = field(default_factory=list)
    short: int = 0

    def push(self, batch: EventBatch) -> bool:
        if self.dice.random() < 0.4:
            return False
        self.short += len(batch.events)
        self.seqs += [told.seq for told in batch.events]
        return True


@pytest.mark.parametrize("seed", range(4))
async def test_the_short_way_and_the_long_one_never_lose_double_or_overtake(on: Setup, listen: Listeners, seed: int) -> None:
    call_id = await answered(on)
    ways = [Moody(random.Random(seed * 100 + n)) for n in range(20)]  # noqa: S311
    request = Request(EVENTS.replace("callEvents", "e: callEvents"), {"call": str(call_id), "after": 0})

    async def follow(way: Moody) -> None:
        async for offer in listen.subscriptions.subscribe(request, session(BOB), on.world, way):
            if way.dice.random() < 0.3:
                await asyncio.sleep(way.dice.random() / 50)
            body = await offer.take()
            way.seqs.append(int(body.split(b'"seq":')[1].split(b",")[0]))

    following = [asyncio.create_task(follow(way)) for way in ways]
    await asyncio.gather(*(write(on.world, call_id, 25) for _ in range(4)))

    async def all_there() -> bool:
        last = len(await on.events(call_id))
        return all(way.seqs and way.seqs[-1] == last for way in ways)

    async def each_went_the_short_way() -> bool:
        """Who has all of them is live, unless it was blocked at the last."""
        await eventually(all_there)
        await write(on.world, call_id, 1)
        return all(way.short for way in ways)

    await eventually(each_went_the_short_way, seconds=15)
    await eventually(all_there)
    last = len(await on.events(call_id))
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    assert [way.seqs for way in ways] == [list(range(1, last + 1))] * len(ways)


async def test_the_first_who_follows_loses_the_right_and_the_others_miss_nothing(on: Setup, listen: Listeners) -> None:
    """In whose name a room is read does not matter."""
    call_id = await open_channel_call(on)
    removed = listen.events(session(DAVE), call_id)
    await removed.count(1)
    others = [listen.events(session(CAROL), call_id, len(await on.events(call_id))) for _ in range(3)]
    await write(on.world, call_id, 1)
    await asyncio.gather(*(one.until(bool) for one in others))
    await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", DAVE)
    await write(on.world, call_id, 3)
    last = len(await on.events(call_id))
    for one in others:
        got = seqs(await one.until(lambda got: got[-1]["seq"] == last))
        assert got == list(range(got[0], last + 1))
    assert (await removed.ended(seconds=2)).code == "not-found"
    assert removed.got[-1]["seq"] < last - 2


async def test_nothing_reaches_whoever_was_kicked_in_the_same_moment(on: Setup, listen: Listeners) -> None:
    call_id = await group(on)
    kicked = [listen.events(session(CAROL), call_id) for _ in range(5)]
    before = len(await on.events(call_id))
    await asyncio.gather(*(one.count(before) for one in kicked))
    await kick_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, CAROL), None)
    for one in kicked:
        assert (await one.ended(seconds=2)).code == "participant-kicked"
        assert seqs(one.got) == list(range(1, before + 1))


async def test_a_token_with_a_value_of_no_use_is_its_owners_trouble_alone(on: Setup, listen: Listeners) -> None:
    call_id = await answered(on)
    odd = Session("user", {"x-hasura-user-id": "no uuid"})
    listening = [listen.events(who, call_id) for who in (session(BOB), odd, session(ALICE), odd)]
    total = len(await on.events(call_id))
    assert seqs(await listening[0].count(total)) == seqs(await listening[2].count(total)) == list(range(1, total + 1))
    assert {(await one.ended()).code for one in (listening[1], listening[3])} == {"data-exception"}
    missing = await listen.events(Session("user", {}), call_id).ended()
    assert missing.code == "not-found"


async def test_one_in_whose_name_nothing_can_be_read_keeps_nobody_from_being_told(on: Setup, listen: Listeners) -> None:
    """A rule may look at what only a page shows; in whose session it finds what PostgreSQL can't read, that one is told so."""
    call_id = await open_channel_call(on)
    first = listen.events(session(DAVE), call_id)
    await first.count(1)
    beside = [listen(session(CAROL), "subscription ($call: uuid!) { callEvents(callId: $call, after: 0) { seq } }", call=str(call_id))]
    await beside[0].count(1)
    beside.append(listen.events(session(BOB), call_id))
    await beside[1].count(1)
    (room,) = listen.subscriptions._rooms.open.values()
    channel = room.channels[next(iter(room.channels))]
    page, reader = channel._page, channel.reader

    async def unreadable(of: Follower, after: int) -> Sequence[Event]:
        if of is reader:
            raise DatabaseError("22007", "invalid input syntax")
        return await page(of, after)

    channel._page = unreadable
    await write(on.world, call_id, 1)
    last = len(await on.events(call_id))
    for one in beside:
        await one.until(lambda got: got[-1]["seq"] == last)
    assert (await first.ended()).code == "data-exception"


HIDDEN = Compare("kind", "_neq", Constant("call_video_changed"))


async def test_events_that_a_rule_hides_are_passed_over(on: Setup, client: Api, database: CountingDatabase) -> None:
    """The last ones too: they are not read for again and again, and who comes back to them waits for the next."""
    rules = await product_rules(on.url)
    own = rules.roles["user"]
    narrow = replace(own, select={**own.select, CALL_EVENTS: replace(own.select[CALL_EVENTS], filter=HIDDEN)})
    call_id = await group(on)
    first = len(await on.events(call_id))
    engine = Engine(
        rules.catalog, RoleViews(rules.catalog, {"user": narrow}, whole_schema(rules.catalog, FEEDS)), Unshared(DATABASE), Limits(), {}
    )
    async with open_rooms(database, rules.catalog, {"user": narrow}.__getitem__, on.world.hub.follow) as rooms:
        to = EngineSubscriptions(engine, LiveQueries(Unshared(DATABASE), on.world.hub.follow), rooms)

        def listen(after: int) -> Listener:
            return Listener(to, Request(EVENTS, {"call": str(call_id), "after": after}), session(BOB), on.world)

        running = listen(0)
        assert seqs(await running.count(first)) == list(range(1, first + 1))
        await write(on.world, call_id, 3)
        (room,) = rooms.open.values()

        async def has_passed() -> bool:
            return room.head == first + 3

        await eventually(has_passed)
        # At the end of what is shown, within what is hidden, and at its end.
        resumed = [listen(after) for after in range(first, first + 4)]
        async with on.world.transaction("test") as tx:
            await events.append(tx, call_id, "hand_raised", BOB, {})
        for one, before in ((running, first), *((one, 0) for one in resumed)):
            assert seqs(await one.count(before + 1))[before:] == [first + 4]
            await one.stop()
        # A room that nobody had open knows nothing of what is hidden at its end.
        await write(on.world, call_id, 2)
        last = [listen(first + 4), listen(first + 5)]
        async with on.world.transaction("test") as tx:
            await events.append(tx, call_id, "hand_raised", BOB, {})
        for one in last:
            assert seqs(await one.count(1)) == [first + 7]
            await one.stop()
