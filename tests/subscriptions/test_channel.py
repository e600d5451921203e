"""What a channel holds, and in whose name it is read: told here with events from memory, so that each moment can be chosen."""

import asyncio
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from permissions.session import Session
from resolvers.feeds.channel import Channel, Memory
from resolvers.feeds.follower import Follower
from resolvers.feeds.room import FollowedRoom
from resolvers.hand_written.room_feed import Event, RoomFeed

pytestmark = pytest.mark.anyio


async def read(_query: str, _variables: Mapping[str, Any]) -> Any:
    raise AssertionError("its pages come from memory")


class Room:
    """The rows of a room; those whose number is in `allowed` may follow and see what is in it."""

    def __init__(self, *names: str) -> None:
        self.rows: list[Event] = []
        self.readers: list[str] = []
        self.allowed, self.memory = set(names), Memory()
        self.channel = Channel(0, self._page, self._encode, self.memory, self._may_follow)
        self.channel.followers = {Follower(Session(name), read, None): None for name in names}

    async def _page(self, reader: Follower, after: int) -> Sequence[Event]:
        self.readers.append(reader.session.role)
        sees = reader.session.role in self.allowed
        return [row if sees else Event(row.seq, None, hidden=True) for row in self.rows if row.seq > after]

    async def _encode(self, value: object) -> bytes:
        return str(value).encode()

    async def _may_follow(self, follower: Follower) -> bool:
        if follower.session.role not in self.allowed:
            del self.channel.followers[follower]
        return follower in self.channel.followers

    async def after(self, seq: int, known: int = 0) -> list[bytes]:
        return [told.body for told in await self.channel.after(seq, known)]

    async def tell(self) -> None:
        self.channel.tell(await self.channel.news())


async def test_what_is_taken_back_is_held_no_more_and_what_follows_it_is() -> None:
    room = Room("a")
    room.rows = [Event(seq, f"message {seq}") for seq in range(1, 6)]
    await room.tell()
    room.rows = [Event(1, "message 1"), Event(2, None), *room.rows[2:], Event(6, "deleted", takes_back=2)]
    # What nobody was told of yet is held as it was.
    assert await room.after(0) == [b"message %d" % seq for seq in range(1, 6)]
    assert (room.channel.taken_back, len(room.readers)) == (0, 1)
    await room.tell()
    assert room.channel.taken_back == 1
    asked = len(room.readers)
    assert await room.after(2) == [b"message 3", b"message 4", b"message 5", b"deleted"]
    assert len(room.readers) == asked
    assert await room.after(0) == [b"message 1", b"None", b"message 3", b"message 4", b"message 5", b"deleted"]
    assert len(room.readers) == asked + 1
    room.channel.close()
    assert room.memory.held == 0


async def test_what_others_of_the_room_know_to_be_taken_back_is_held_no_more_and_no_read_of_before_is_shared() -> None:
    """Another channel of the room was told of it first."""
    room, other = Room("a"), Room("b")
    for one in (room, other):
        one.rows = [Event(1, "secret"), Event(2, "hello")]
        await one.tell()
    both = FollowedRoom(cast(RoomFeed, SimpleNamespace(every=0.0)), "1")
    both.channels = {"a": room.channel, "b": other.channel}
    page, reading, goes_on = other.channel._page, asyncio.Event(), asyncio.Event()

    async def slow(reader: Follower, after: int) -> Sequence[Event]:
        found = await page(reader, after)
        reading.set()
        await goes_on.wait()
        return found

    other.channel._page = slow
    before = asyncio.create_task(other.after(0, known=3))
    await reading.wait()
    room.rows = other.rows = [Event(1, None), Event(2, "hello"), Event(3, "deleted", takes_back=1)]
    taken_back = other.channel.taken_back
    both.tell(room.channel, await room.channel.news())
    assert other.channel.taken_back == taken_back + 1
    after = asyncio.create_task(other.after(0, known=3))
    await asyncio.sleep(0)
    goes_on.set()
    # Who asked before sees by `taken_back` that it is no use.
    assert await before == [b"secret", b"hello"]
    assert await after == [b"None", b"hello"]
    assert other.channel.told == 2


async def test_who_knows_more_than_was_told_gets_nothing_that_is_older() -> None:
    room = Room("a")
    room.rows = [Event(1, "secret"), Event(2, "hello")]
    await room.tell()
    room.rows = [Event(1, None), Event(2, "hello"), Event(3, "deleted", takes_back=1)]
    assert await room.after(0, known=2) == [b"secret", b"hello"]
    # The third was not told yet: it comes with the others.
    assert await room.after(0, known=3) == [b"None", b"hello"]


async def test_a_page_that_is_being_read_is_shared_by_those_who_know_the_same() -> None:
    room = Room("a")
    room.rows = [Event(1, "one"), Event(2, "two")]
    room.channel.told = 2
    shared = await asyncio.gather(*(room.after(0, known) for known in (0, 1, 2, 2, 3, 3)))
    assert shared == [[b"one", b"two"]] * 6
    assert len(room.readers) == 2


async def test_whoever_reads_for_the_others_and_may_not_any_more_is_followed_by_the_next() -> None:
    room = Room("a", "b", "c")
    room.rows = [Event(1, "one")]
    room.allowed -= {"a", "b"}
    await room.tell()
    assert await room.after(0) == [b"one"]
    assert (room.readers, len(room.channel.followers)) == (["a", "b", "c"], 1)


async def test_what_nobody_sees_is_not_asked_for_again() -> None:
    room = Room("a")
    room.rows = [Event(1, "one"), Event(2, "two")]
    await room.tell()
    room.channel.pass_over(5)
    assert (room.channel.shown, room.channel.told) == (2, 5)
    room.rows.append(Event(6, "six"))
    await room.tell()
    assert (room.channel.shown, room.channel.told) == (6, 6)
    # Held are the events on both sides, with nothing between them.
    asked = len(room.readers)
    assert (await room.after(1), await room.after(3), len(room.readers)) == ([b"two", b"six"], [b"six"], asked)


async def test_what_is_hidden_from_those_who_may_follow_is_told_without_it() -> None:
    room = Room("a")
    room.rows = [Event(1, None, hidden=True)]
    await room.tell()
    assert (await room.after(0), room.readers) == ([b"None"], ["a"])
