"""Who is known to ask for little, and who has just come: neither can keep the other waiting."""

from collections.abc import AsyncIterator

import pytest

from app.database.shares.share import GRACE, Places
from tests.transport.asked_turns import Room

pytestmark = pytest.mark.anyio


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room(Places(total=6, heavy=2, share=3, kept=1, known=2))
    yield room
    await room.empty()


async def test_newcomers_leave_the_last_places_to_those_who_are_known(room: Room) -> None:
    await room.finish(await room.ask("alice"))
    strangers = [await room.ask(f"stranger {n}") for n in range(8)]
    assert room.running == [f"stranger {n}" for n in range(4)]
    # Known to ask for little: at once, again and again, while strangers wait.
    for _ in range(3):
        await room.finish(await room.ask("alice"))
    # A stranger whose statement was short is one of them.
    await room.finish(strangers[0])
    assert room.running[-1] == "stranger 4"
    await room.ask("stranger 0")
    assert room.running[-1] == "stranger 0"


async def test_who_becomes_known_while_it_waits_has_no_newcomers_before_it(room: Room) -> None:
    """A page asks several things at once; the first answer of it is short."""
    for n in range(3):
        await room.ask(f"stranger {n}")
    first = await room.ask("bob")
    for n in range(3, 9):
        await room.ask(f"stranger {n}")
    await room.ask("bob")
    await room.finish(first)
    assert room.running == ["stranger 0", "stranger 1", "stranger 2", "stranger 3", "bob"]


async def test_newcomers_have_as_many_places_however_much_is_asked_by_those_who_are_known(room: Room) -> None:
    works = await room.crowd()
    assert room.running == [f"known {n}" for n in range(6)]
    strangers = [await room.ask(f"stranger {n}") for n in range(4)]
    for work in works[:3]:
        await room.finish(work)
    assert room.running[-3:] == ["stranger 0", "stranger 1", "known 6"]
    await room.finish(strangers[0])
    assert room.running[-1] == "stranger 2"


async def test_newcomers_whose_statements_are_long_leave_the_places_to_other_newcomers(room: Room) -> None:
    works = await room.crowd()
    for n in range(4):
        await room.ask(f"hog {n}")
    for work in works[:2]:
        await room.finish(work)
    assert room.running[-2:] == ["hog 0", "hog 1"]
    room.now += 0.3
    for work in works[2:6]:
        await room.finish(work)
    room.turns.sweep()
    await room.finish(works[6])
    assert room.running[-1] == "hog 2"


async def test_whoever_asked_for_much_is_no_longer_known(room: Room) -> None:
    await room.finish(await room.ask("eve"))
    long = await room.ask("eve")
    room.now += GRACE * 2
    await room.finish(long)
    for n in range(4):
        await room.ask(f"stranger {n}")
    await room.ask("eve")
    assert room.running == [f"stranger {n}" for n in range(4)]
