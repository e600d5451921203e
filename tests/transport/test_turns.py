"""Whose statement runs next, on a clock that the test turns."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.database.shares.share import GRACE, HALF_LIFE, HEAVY, Places
from app.database.shares.turns import GAVE_UP
from permissions.errors import GraphQLRefusal
from resolvers.sql.database import GaveWay
from tests.transport.asked_turns import PLACES, Room, settled

pytestmark = pytest.mark.anyio


@pytest.fixture
async def places() -> Places:
    return PLACES


@pytest.fixture
async def room(places: Places) -> AsyncIterator[Room]:
    room = Room(places)
    yield room
    await room.empty()


async def test_a_principal_has_its_share_and_others_go_ahead(room: Room) -> None:
    works = [await room.ask("eve") for _ in range(5)]
    assert room.running == ["eve"] * 3
    await room.ask("bob")
    assert room.running == ["eve"] * 3 + ["bob"]
    await room.finish(works[0])
    assert sorted(room.running) == ["bob"] + ["eve"] * 3


async def test_places_go_round_among_those_who_wait(room: Room) -> None:
    first = [await room.ask(name) for name in ("a", "a", "a", "b", "b", "b")]
    for name in ("c", "c", "c", "d", "d", "e"):
        await room.ask(name)
    assert len(room.running) == PLACES.total
    for work in first:
        await room.finish(work)
    assert room.began[PLACES.total :] == ["c", "d", "e", "c", "d", "c"]


async def test_more_than_the_queue_holds_is_refused_and_nothing_of_it_stays(room: Room) -> None:
    works = [await room.ask("eve") for _ in range(3 + PLACES.queue)]
    one_more = await room.ask("eve")
    with pytest.raises(GraphQLRefusal) as refused:
        await one_more.task
    assert (refused.value.code, refused.value.extra) == ("rate-limited", {"retryAfter": 1})
    assert await room.ask("bob") and room.running[-1] == "bob"
    for work in works:
        await room.finish(work)
    assert room.running == ["bob"]


@pytest.mark.parametrize("places", [Places(total=1, heavy=1, share=1, patience=0.0)], ids=["no patience"])
async def test_who_waits_too_long_is_refused_and_keeps_no_place(room: Room) -> None:
    first, second = await room.ask("eve"), await room.ask("bob")
    with pytest.raises(GraphQLRefusal, match="wait for some answers"):
        await second.task
    await room.finish(first)
    await room.ask("carol")
    assert room.running == ["carol"]


async def test_who_goes_away_while_waiting_leaves_the_line(room: Room) -> None:
    first = [await room.ask(name) for name in ("a", "a", "a", "b", "b", "b")]
    gone, stays = await room.ask("c"), await room.ask("d")
    gone.task.cancel()
    await settled()
    await room.finish(first[0])
    assert room.began[-1] == stays.name
    assert len(room.running) == PLACES.total


async def test_who_goes_away_in_the_moment_it_is_called_passes_the_place_on(room: Room) -> None:
    first = [await room.ask(name) for name in ("a", "a", "a", "b", "b", "b")]
    gone, _stays = await room.ask("c"), await room.ask("d")
    # Both in one step of the loop: called, and cancelled before it woke up.
    first[0].done.set()
    first[0].task.add_done_callback(lambda _: gone.task.cancel())
    await settled()
    assert room.began[-1] == "d"
    assert len(room.running) == PLACES.total


async def test_whose_statements_take_long_leaves_places_to_others(room: Room) -> None:
    for name in ("x", "y"):
        works = [await room.ask(name) for _ in range(2)]
        room.now += 5
        for work in works:
            await room.finish(work)
    for name in ("x", "x", "x", "y", "y", "y"):
        await room.ask(name)
    assert len(room.running) == PLACES.heavy
    await room.ask("light")
    assert room.running[-1] == "light"


async def test_one_heavy_statement_runs_however_much_the_light_ask(room: Room) -> None:
    work = await room.ask("eve")
    room.now += 5
    await room.finish(work)
    light = [await room.ask(f"light {number}") for number in range(2 * PLACES.total)]
    for _ in range(2):
        await room.ask("eve")
    assert "eve" not in room.running
    for work in light[:4]:
        await room.finish(work)
    assert room.running.count("eve") == 1 and room.began[-4:] == ["eve", "light 6", "light 7", "light 8"]


@pytest.mark.parametrize("places", [Places(total=1, heavy=1, share=1)], ids=["one place"])
async def test_the_only_place_is_for_the_light_first(room: Room) -> None:
    work = await room.ask("eve")
    room.now += 5
    await room.finish(work)
    first = await room.ask("light")
    await room.ask("eve")
    await room.ask("also light")
    await room.finish(first)
    assert room.running == ["also light"]


async def test_what_was_spent_is_forgotten(room: Room) -> None:
    for name in ("x", "y"):
        work = await room.ask(name)
        room.now += 5
        await room.finish(work)
    room.now += 60
    for name in ("x", "x", "x", "y", "y", "y"):
        await room.ask(name)
    assert len(room.running) == PLACES.total


async def test_short_statements_never_make_heavy(room: Room) -> None:
    for _ in range(200):
        work = await room.ask("busy")
        room.now += 0.02
        await room.finish(work)
    for name in ("busy", "busy", "busy", "other", "other", "other"):
        await room.ask(name)
    assert len(room.running) == PLACES.total


async def test_newcomers_with_long_statements_make_way_for_who_waits(room: Room) -> None:
    attackers = [await room.ask(f"new {number}") for number in range(PLACES.total)]
    bob = await room.ask("bob")
    room.turns.sweep()
    assert len(room.running) == PLACES.total, "nobody loses a place at once"
    room.now += 0.3
    room.turns.sweep()
    await settled()
    assert room.running[-1] == bob.name
    given_up = [work for work in attackers if work.task.done()]
    assert len(given_up) == PLACES.total - PLACES.heavy, "those above what heavy ones may have"
    with pytest.raises(GaveWay, match="others are waiting"):
        await given_up[0].task


async def test_nobody_makes_way_when_nobody_waits(room: Room) -> None:
    works = [await room.ask(f"new {number}") for number in range(PLACES.total)]
    room.now += 3
    room.turns.sweep()
    await settled()
    assert not [work for work in works if work.task.done()]


async def test_a_statement_that_is_cancelled_by_its_owner_is_not_said_to_be_too_long(room: Room) -> None:
    work = await room.ask("eve")
    work.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work.task
    assert room.running == []


async def test_the_lightest_of_several_is_asked_in_whose_name(room: Room) -> None:
    work = await room.ask("eve")
    assert room.turns.lightest({"eve", "bob"}) == "bob"
    room.now += 5
    await room.finish(work)
    assert room.turns.lightest(["eve", "carol"]) == "carol"


async def test_ten_thousand_principals_are_forgotten_and_those_who_run_are_not(room: Room) -> None:
    await room.ask("eve")
    for number in range(10_100):
        async with room.turns.turn(str(number)):
            pass
    assert len(room.turns._shares) <= 10_001
    for _ in range(4):
        await room.ask("eve")
    assert room.running.count("eve") == PLACES.share


async def test_what_fails_counts_from_its_first_moment(room: Room) -> None:
    async def fail() -> None:
        async with room.turns.turn("eve"):
            room.now += 0.05
            raise ValueError

    for _ in range(30):
        with pytest.raises(ValueError):
            await fail()
    for name in ("eve", "eve", "eve", "other", "other"):
        await room.ask(name)
    works = [await room.ask("third")]
    assert len(room.running) == PLACES.total
    await room.ask("eve")
    await room.ask("fourth")
    await room.finish(works[0])
    assert room.running[-1] == "fourth", "who is light goes first"


async def test_newcomers_who_are_many_are_not_taken_for_light_twice(room: Room) -> None:
    """Each has more statements that wait: the places that some give up go to who is light, not to them again."""
    names = [f"new {number}" for number in range(PLACES.total + 2)]
    for name in names * 2:
        await room.ask(name)
    bob = await room.ask("bob")
    for _ in range(2):
        room.now += 0.3
        room.turns.sweep()
        await settled()
    assert room.began[PLACES.total :] == [*names[PLACES.total :], "bob"]
    await room.finish(bob)
    await room.ask("bob")
    assert room.running[-1] == "bob"


@pytest.mark.parametrize("places", [Places(total=4, heavy=4, share=3, kept=1)], ids=["one kept"])
async def test_the_last_place_is_for_whom_nothing_runs(room: Room) -> None:
    works = [await room.ask(name) for name in ("a", "b", "a", "b", "a", "b")]
    assert room.running == ["a", "b", "a"], "who has a place already leaves the last one"
    carol = await room.ask("carol")
    assert room.running[-1] == "carol", "and does not stand before those who have none"
    await room.finish(carol)
    await room.ask("dave")
    assert sorted(room.running) == ["a", "a", "b", "dave"]
    await room.finish(works[0])
    await room.ask("erin")
    assert sorted(room.running) == ["a", "b", "dave", "erin"]


@pytest.mark.parametrize("places", [Places(total=4, heavy=4, share=3, kept=1)], ids=["one kept"])
async def test_who_waits_for_a_second_place_is_next_once_its_first_is_done(room: Room) -> None:
    first = await room.ask("a")
    await room.ask("a")
    third = [await room.ask(name) for name in ("b", "a")]
    newcomers = [await room.ask(f"new {number}") for number in range(3)]
    assert sorted(room.running) == ["a", "a", "b", "new 0"]
    await room.ask("b")
    await room.finish(third[0])
    assert room.running[-1] == "new 1"
    await room.finish(newcomers[0])
    assert room.running[-1] == "new 2"
    await room.finish(first)
    assert room.running[-1] == "b", "of a, which asked before, something runs still"
    await room.finish(newcomers[1])
    await room.finish(newcomers[2])
    assert sorted(room.running) == ["a", "a", "b"]


async def test_who_gave_way_is_punished_once_however_long_it_takes_to_leave(room: Room) -> None:
    """A statement that is cancelled ends when PostgreSQL says so."""
    works = [await room.ask(f"new {number}", leaves=False) for number in range(PLACES.total)]
    await room.ask("bob")
    room.now += 0.3
    for _ in range(5):
        room.turns.sweep()
        await settled()
    lost = [work for work in works if work.task.cancelling()]
    assert len(lost) == PLACES.total - PLACES.heavy, "those above what heavy ones may have, and no more of them at each look"
    assert {round(room.turns._shares[work.name].spent, 2) for work in lost} == {GAVE_UP - GRACE}


async def test_what_is_kept_is_not_ended_and_others_make_way_in_its_place(room: Room) -> None:
    works = [await room.ask(f"new {number}") for number in range(PLACES.total)]
    kept = [turn for turn in room.turns._running if turn.share is not room.turns._shares["new 0"]]
    for turn in kept:
        turn.keep()
    bob = await room.ask("bob")
    room.now += 0.3
    room.turns.sweep()
    await settled()
    assert [work.name for work in works if work.task.done()] == ["new 0"]
    assert room.running[-1] == bob.name


async def test_who_goes_away_just_before_it_would_be_called_passes_the_place_on(room: Room) -> None:
    first = [await room.ask(name) for name in ("a", "a", "a", "b", "b", "b")]
    gone, _stays = await room.ask("c"), await room.ask("d")
    first[0].done.set()
    await asyncio.sleep(0)
    gone.task.cancel()
    await settled()
    await first[0].task
    assert room.began[-1] == "d"
    assert len(room.running) == PLACES.total


@pytest.mark.parametrize("places", [Places(total=4, heavy=1, share=3, patience=100.0)], ids=["one heavy"])
async def test_who_is_light_again_waits_with_the_light(room: Room) -> None:
    """Nothing ends meanwhile: the look alone finds out."""
    for name in ("x", "y"):
        work = await room.ask(name)
        room.now += 5
        await room.finish(work)
    for name in ("x", "y"):
        await room.ask(name)
    assert room.running == ["x"]
    room.now += 60
    room.turns.sweep()
    await settled()
    assert room.running == ["x", "y"]


async def test_a_smaller_share_holds_for_who_stands_in_line_already(room: Room) -> None:
    works = [await room.ask(name) for name in ("a", "b", "b", "b", "d", "d")]
    await room.ask("a")
    room.turns.turn("a", share=1)
    await room.finish(works[1])
    assert room.running.count("a") == 1


async def test_whoever_was_heavy_is_light_when_nearly_all_is_forgotten(room: Room) -> None:
    long = await room.ask("eve")
    room.now += HEAVY * 2
    await room.finish(long)
    share = room.turns._shares["eve"]
    room.now += HALF_LIFE * 2
    assert share.lately(room.now) < HEAVY
    assert share.is_heavy(room.now)
    room.now += HALF_LIFE * 2
    assert not share.is_heavy(room.now)
    # From then on it is as anybody: a little makes nobody heavy.
    little = await room.ask("eve")
    room.now += HEAVY / 2
    await room.finish(little)
    assert not share.is_heavy(room.now)
