"""A round looks closer only where something may have changed, and at each call once in a while."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.database.transactions import EngineTransactions, open_engine
from domain.calls.actions.kick import kick_participant
from domain.calls.actions.screen_share import start_screen_share
from domain.ports import FigureName, MediaError, Room, RoomParticipant, Track
from domain.reconciler import looks, reconcile
from domain.world import World
from tests.life_cycle.running_call import Running
from tests.life_cycle.test_reconciler import later
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session

pytestmark = pytest.mark.anyio
EVERY = looks.LOOKED_AT_EVERY.total_seconds()


async def looked(on: Setup, seconds: float = 15) -> int:
    """How many rooms the next round looks into."""
    before = on.rooms.asked["list_participants"]
    await later(on, seconds)
    return on.rooms.asked["list_participants"] - before


@pytest.fixture
async def quiet(group: Running) -> Running:
    """Compared and found alike, with the next look a full while away."""
    for _ in range(6):
        await later(group.on)
    await group.on.database.execute("UPDATE nchat_call_looks SET due_at = $1", group.on.clock.now() + looks.LOOKED_AT_EVERY)
    assert await group.on.database.fetchval("SELECT bool_and(differs_since IS NULL) FROM nchat_call_looks")
    return group


async def test_nothing_new_is_nothing_to_look_at(quiet: Running) -> None:
    assert [await looked(quiet.on) for _ in range(3)] == [0, 0, 0]


async def test_each_call_once_in_a_while(quiet: Running) -> None:
    assert [await looked(quiet.on) for _ in range(8)] == [0, 0, 0, 1, 0, 0, 0, 1]


async def test_one_person_more_or_less(quiet: Running) -> None:
    quiet.room.silent = True
    await quiet.room.leave(BOB)
    assert await looked(quiet.on) == 1
    assert await looked(quiet.on) == 1
    assert await quiet.standing(BOB) == ("disconnected", None)
    await quiet.room.join(BOB)
    await looked(quiet.on)
    assert await quiet.standing(BOB) == ("connected", None)


async def test_a_track_more_or_less(quiet: Running) -> None:
    """Carol unpublishes everything: the same people, and fewer who publish."""
    carol = quiet.on.rooms.people[quiet.room.name][str(CAROL)]
    quiet.on.rooms.people[quiet.room.name][str(CAROL)] = replace(carol, tracks=())
    assert await looked(quiet.on) == 1


async def test_news_in_the_rows(quiet: Running) -> None:
    quiet.on.rooms.broken.add("remove_participant")
    carol = await quiet.on.participant(quiet.id, CAROL)
    await kick_participant(quiet.on.world, session(ALICE), quiet.id, carol["id"])
    quiet.on.rooms.broken.clear()
    assert await looked(quiet.on) == 1
    assert str(CAROL) not in quiet.on.rooms.people[quiet.room.name]


async def test_who_takes_anothers_place_is_found_within_the_while(quiet: Running) -> None:
    """The counts say nothing: one is gone, a stranger is there."""
    quiet.room.silent = True
    await quiet.room.leave(BOB)
    quiet.on.rooms.join(quiet.room.name, str(DAVE), "microphone")
    for _ in range(4):
        await later(quiet.on)
    assert str(DAVE) not in quiet.on.rooms.people[quiet.room.name]
    await later(quiet.on)
    assert await quiet.standing(BOB) == ("disconnected", None)


async def test_a_mute_is_seen_within_the_while(quiet: Running) -> None:
    bob = quiet.on.rooms.people[quiet.room.name][str(BOB)]
    await quiet.on.rooms.mute_track(quiet.room.name, str(BOB), bob.tracks[0].sid)
    await later(quiet.on, EVERY)
    assert (await quiet.on.participant(quiet.id, BOB))["is_muted"]


async def test_a_wrong_right_is_seen_within_the_while(quiet: Running) -> None:
    await start_screen_share(quiet.on.world, session(BOB), quiet.id)
    await quiet.on.database.execute("UPDATE nchat_call_participants SET screen_share_asked_at = NULL")
    await later(quiet.on, EVERY)
    assert quiet.on.rooms.grants[quiet.room.name, str(BOB)].sources == ("microphone", "camera")


async def test_a_room_of_another_life(quiet: Running) -> None:
    room = quiet.on.rooms.rooms[quiet.room.name]
    quiet.on.rooms.rooms[quiet.room.name] = replace(room, sid="RM_new")
    assert await looked(quiet.on) == 1
    assert (await quiet.on.call(quiet.id))["room_sid"] == "RM_new"


async def test_a_look_that_livekit_did_not_answer_is_due_again(quiet: Running) -> None:
    quiet.on.rooms.broken.add("list_participants")
    assert await looked(quiet.on, EVERY) == 1
    quiet.on.rooms.broken.clear()
    assert await looked(quiet.on) == 1
    assert await looked(quiet.on) == 0


async def test_ended_calls_are_forgotten(quiet: Running) -> None:
    await quiet.on.database.execute("UPDATE nchat_calls SET status = 'ended', ended_at = now()")
    await later(quiet.on, 3 * EVERY)
    assert await quiet.on.database.fetchval("SELECT count(*) FROM nchat_call_looks") == 0


async def test_how_long_both_sides_have_been_apart(quiet: Running) -> None:
    told: list[tuple[FigureName, float]] = []
    world = replace(quiet.on.world, figure=lambda name, value: told.append((name, value)))
    await reconcile(world)
    quiet.on.rooms.broken.add("list_participants")
    quiet.on.clock.advance(EVERY)
    for _ in range(3):
        await reconcile(world)
        quiet.on.clock.advance(15)
    quiet.on.rooms.broken = {"all_rooms"}
    with pytest.raises(MediaError):
        await reconcile(world)
    quiet.on.rooms.broken.clear()
    await reconcile(world)
    assert told == [("state_divergence", seconds) for seconds in (0.0, 0.0, 15.0, 30.0, 0.0)]


MANY = 1000
MICROPHONE = (Track("TR", "microphone", muted=False),)


@pytest.fixture
async def thousand(on: Setup) -> AsyncIterator[World]:
    """As many calls of two, alike on both sides, with a process's own connections."""
    await on.database.execute(
        """
        WITH people AS (
            INSERT INTO nchat_users (id, username) SELECT gen_random_uuid(), 'u' || n FROM generate_series(1, 2 * $1) n RETURNING id
        ), numbered AS (SELECT id, row_number() OVER () AS n FROM people), begun AS (
            INSERT INTO nchat_calls (type, initiator_id, status, status_since, room_sid, room_name)
            SELECT 'audio', id, 'connected', $2, 'RM_' || n, 'call_' || n FROM numbered WHERE n <= $1 RETURNING id, room_name
        )
        INSERT INTO nchat_call_participants (call_id, user_id, status, status_since, participant_sid, joined_at, is_muted)
        SELECT begun.id, numbered.id, 'connected', $2, 'PA_' || n, $2, false
        FROM begun JOIN numbered ON 'call_' || ((n - 1) % $1 + 1) = begun.room_name
        """,
        MANY,
        on.clock.now() - timedelta(hours=1),
    )
    joined = "SELECT room_name, user_id::text, participant_sid FROM nchat_call_participants p JOIN nchat_calls c ON c.id = p.call_id"
    for room, identity, sid in await on.database.fetch(joined):
        on.rooms.rooms[room] = Room(room, room.replace("call", "RM"))
        on.rooms.people[room] = on.rooms.people.get(room, {}) | {identity: RoomParticipant(identity, sid, "active", MICROPHONE)}
    async with open_engine(on.url) as engine:
        yield replace(on.world, transaction=EngineTransactions(engine, on.publisher))


async def test_a_thousand_calls_cost_a_tenth_of_a_core(on: Setup, thousand: World) -> None:
    """Rounds over a whole while, the first one, which looks at all, apart: CPU of 15 s each, and what is asked."""
    await reconcile(thousand)
    asked, began, rounds = on.rooms.asked.copy(), time.process_time(), int(EVERY / 15) * 2
    for _ in range(rounds):
        on.clock.advance(15)
        await reconcile(thousand)
    cpu = (time.process_time() - began) / rounds
    on.rooms.asked.subtract(asked)
    looked = on.rooms.asked["list_participants"]
    assert +on.rooms.asked == {"all_rooms": rounds, "list_participants": looked}
    assert MANY <= looked <= 2.5 * MANY
    print(f"{cpu * 1000:.0f} ms of CPU a round, {looked / rounds:.0f} looks")  # noqa: T201 - shown by `pytest -s`
    assert cpu <= 1.5
