"""What a channel is told reaches all who follow, in order, whatever comes while it is under way."""

import asyncio
import random
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.feeds.delivery import BYTES_ON_THE_WAY, ON_THE_WAY, PUSHED_AT_ONCE, Delivery
from resolvers.feeds.follower import Follower
from resolvers.feeds.told import EventBatch, Told
from tests.subscriptions.listening import Listeners
from tests.subscriptions.stream_chats import CHAT, moderate, say, stream
from tests.support.domain_setup import BOB, CAROL, Setup, session
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def read(_query: str, _variables: Mapping[str, Any]) -> Any:
    raise AssertionError("nothing is read")


class Way:
    """To one client: the seqs of each write."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.takes, self.fails = True, False

    def push(self, batch: EventBatch) -> bool:
        if self.fails:
            raise RuntimeError("a fault of its transport")
        if self.takes:
            self.writes.append([told.seq for told in batch.events])
        return self.takes

    @property
    def seqs(self) -> list[int]:
        return [seq for write in self.writes for seq in write]


class Room:
    """So many who follow live, and know nothing yet."""

    def __init__(self, followers: int) -> None:
        self.told = 0
        self.delivery = Delivery()
        self.ways: dict[Follower, Way] = {}
        self.followers: dict[Follower, None] = {}
        for _ in range(followers):
            self.join()

    def join(self) -> Way:
        way = Way()
        follower = Follower(Session("user"), read, way)
        follower.cursor, follower.live = self.told, True
        self.followers[follower], self.ways[follower] = None, way
        return way

    def tell(self, events: int = 1, body: bytes = b"{}") -> None:
        news = [Told(self.told + n, body) for n in range(1, events + 1)]
        self.told += events
        self.delivery.send(news, self.followers)

    def writes(self) -> list[list[list[int]]]:
        return [way.writes for way in self.ways.values()]


async def test_a_few_have_it_at_once() -> None:
    room = Room(PUSHED_AT_ONCE)
    room.tell(2)
    assert room.writes() == [[[1, 2]]] * PUSHED_AT_ONCE
    await room.delivery.arrived()


async def test_who_was_not_visited_yet_has_what_came_meanwhile_in_the_same_write() -> None:
    room = Room(3 * PUSHED_AT_ONCE)
    room.tell()
    assert room.writes() == [[[1]]] * PUSHED_AT_ONCE + [[]] * (2 * PUSHED_AT_ONCE)
    late = room.join()
    room.tell()
    # Others have their turn before it goes on.
    assert room.writes()[PUSHED_AT_ONCE:] == [[]] * (2 * PUSHED_AT_ONCE + 1)
    await room.delivery.arrived()
    assert room.writes() == [[[1], [2]]] * PUSHED_AT_ONCE + [[[1, 2]]] * (2 * PUSHED_AT_ONCE) + [[[2]]]
    assert late.seqs == [2]


async def test_nobody_waits_for_longer_than_one_way_round() -> None:
    """However fast the events come, each part is visited once before any other is visited twice."""
    parts = 4
    room = Room(parts * PUSHED_AT_ONCE)
    firsts = list(room.ways.values())[::PUSHED_AT_ONCE]
    visits: list[int] = []
    for _ in range(3 * parts):
        before = [len(way.writes) for way in firsts]
        room.tell()
        await asyncio.sleep(0)
        visits += [n for n, way in enumerate(firsts) for _ in range(len(way.writes) - before[n])]
    await room.delivery.arrived()
    assert visits[: 2 * parts] == [*range(parts), *range(parts)]
    assert all(way.seqs == list(range(1, room.told + 1)) for way in room.ways.values())


async def test_who_can_not_take_it_is_woken_and_the_others_have_it() -> None:
    room = Room(3)
    full, broken, well = room.ways
    room.ways[full].takes, room.ways[broken].fails = False, True
    waiting = [asyncio.create_task(follower.wait(0)) for follower in (full, broken)]
    await asyncio.sleep(0)
    room.tell()
    await asyncio.gather(*waiting)
    assert (full.live, full.cursor, full.ended) == (False, 0, None)
    assert isinstance(broken.ended, RuntimeError)
    assert room.ways[well].seqs == [1]


@pytest.mark.parametrize(("events", "body"), [(ON_THE_WAY, b"{}"), (4, b" " * (BYTES_ON_THE_WAY // 4))], ids=["events", "bytes"])
async def test_what_is_under_way_is_bounded(events: int, body: bytes) -> None:
    room = Room(2 * PUSHED_AT_ONCE)
    room.tell(events - 1, body)
    await room.delivery.room_for_more()
    assert room.writes()[-1] == []
    room.tell(1, body)
    await room.delivery.room_for_more()
    assert room.writes()[-1] == [list(range(1, events + 1))]


async def test_with_its_last_follower_it_is_over() -> None:
    room = Room(2 * PUSHED_AT_ONCE)
    room.tell()
    room.delivery.end()
    await room.delivery.arrived()
    assert room.writes()[-1] == []


@pytest.mark.parametrize("seed", range(6))
async def test_whoever_comes_goes_or_falls_behind_each_has_all_of_it_once_and_in_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.feeds.delivery.PUSHED_AT_ONCE", 5)
    dice = random.Random(seed)  # noqa: S311
    room = Room(40)
    since = dict.fromkeys(room.ways, 0)
    for _ in range(400):
        match dice.randrange(6):
            case 0 | 1:
                room.tell(dice.randint(1, 3))
            case 2:
                room.join()
                since[next(reversed(room.ways))] = room.told
            case 3:
                gone = dice.choice(list(room.followers))
                del room.followers[gone]
                gone.live = False
                del room.ways[gone]
            case 4:
                room.ways[dice.choice(list(room.ways))].takes = False
            case _:
                for follower, way in room.ways.items():
                    # As one does that was woken: it asks for what it misses, and is live again where it has all of it.
                    if not follower.live:
                        way.writes.append(list(range(follower.cursor + 1, room.told + 1)))
                        follower.cursor, follower.live, way.takes = room.told, True, True
        await asyncio.sleep(0)
    for follower, way in room.ways.items():
        way.takes = True
        if not follower.live:
            way.writes.append(list(range(follower.cursor + 1, room.told + 1)))
            follower.cursor, follower.live = room.told, True
    await room.delivery.arrived()
    for follower, way in room.ways.items():
        assert way.seqs == list(range(since[follower] + 1, room.told + 1))


async def test_a_message_that_was_deleted_is_sent_to_nobody_once_others_know_of_it(
    on: Setup, listen: Listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion waits until all have the message: who is visited last never gets its text after others were told that it is gone."""
    monkeypatch.setattr("resolvers.feeds.delivery.PUSHED_AT_ONCE", 1)
    goes_on, waits = asyncio.Event(), asyncio.Event()
    go_on, arrived = Delivery._go_on, Delivery.arrived

    async def held_up(delivery: Delivery) -> None:
        await goes_on.wait()
        await go_on(delivery)

    async def seen(delivery: Delivery) -> None:
        if delivery._behind:
            waits.set()
        await arrived(delivery)

    monkeypatch.setattr(Delivery, "_go_on", held_up)
    monkeypatch.setattr(Delivery, "arrived", seen)
    stream_id = await stream(on)
    # The first follows by another document than the others.
    documents = [CHAT.replace("mediaSeconds ", ""), CHAT, CHAT, CHAT]
    ways = [Way() for _ in documents]
    following: list[asyncio.Task[None]] = []

    async def follow(way: Way, document: str) -> None:
        request = Request(document, {"stream": str(stream_id), "after": 0})
        async for offer in listen.subscriptions.subscribe(request, session(BOB), on.world, way):
            raise AssertionError(await offer.take())

    async def all_live() -> bool:
        rooms = list(listen.subscriptions._rooms.open.values())
        return sum(follower.live for room in rooms for follower in room.followers) == len(following)

    for way, document in zip(ways, documents, strict=True):
        following.append(asyncio.create_task(follow(way, document)))
        await eventually(all_live)
    message = await say(on.database, stream_id, CAROL, "what she would rather not have said")
    for way in ways[:2]:
        await eventually(partial(_has, way, [[1]]))
    await moderate(on.database, stream_id, message, "deleted")
    async with asyncio.timeout(5):
        await waits.wait()
    assert [way.writes for way in ways] == [[[1]], [[1]], [], []]
    goes_on.set()
    for way in ways:
        await eventually(partial(_has, way, [[1], [2]]))
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)


async def _has(way: Way, writes: list[list[int]]) -> bool:
    return way.writes == writes
