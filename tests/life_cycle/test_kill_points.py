"""Killed anywhere: 30 s after the restart, database and LiveKit say the same."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest

from app.database.transactions import EngineTransactions, open_engine
from domain import timeouts
from domain.calls.actions.answer import accept_call
from domain.calls.actions.end import end_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call
from domain.calls.actions.kick import kick_participant, readmit_participant
from domain.calls.actions.leave import leave_call
from domain.calls.actions.mute import mute_participant
from domain.calls.actions.screen_share import start_screen_share, stop_screen_share
from domain.ports import Rooms
from domain.reconciler import kick_watch, reconcile
from domain.webhooks.inbox import process_pending, store
from domain.world import World
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, Setup, session
from tests.support.kill_points import KillableRooms, Killed, KillPoints
from tests.support.telling_rooms import TellingRoom

pytestmark = pytest.mark.anyio
# The points are shared out to tests that can run side by side.
SHARES = 8


@asynccontextmanager
async def process(on: Setup, points: KillPoints) -> AsyncIterator[World]:
    """A service process with connections of its own, that dies where `points` says."""
    async with open_engine(on.url) as engine:
        transactions = EngineTransactions(engine, on.publisher, points)
        yield replace(on.world, transaction=transactions, rooms=KillableRooms(on.rooms, points))


async def life(on: Setup, world: World) -> None:
    """A call through everything that asks something of LiveKit."""
    started = await initiate_call(world, session(ALICE), CallRequest("video", [BOB, CAROL], channel_id=GENERAL))
    call_id, room = started.call_id, TellingRoom(on, started.room_name, silent=True)
    for user_id in (BOB, CAROL):
        await accept_call(world, session(user_id), call_id)
    for user_id in (ALICE, BOB, CAROL):
        await room.join(user_id, "microphone")
    await hear(world, room)
    bob, carol = [(await on.participant(call_id, one))["id"] for one in (BOB, CAROL)]
    await mute_participant(world, session(ALICE), call_id, bob, "audio")
    await start_screen_share(world, session(BOB), call_id)
    await stop_screen_share(world, session(BOB), call_id)
    await kick_participant(world, session(ALICE), call_id, carol)
    await room.join(CAROL)
    await hear(world, room)
    await room.join(CAROL)
    await kick_watch.watch(world)
    await readmit_participant(world, session(ALICE), call_id, carol)
    await join_call(world, session(CAROL), call_id)
    await room.join(CAROL)
    await leave_call(world, session(BOB), call_id)
    await end_call(world, session(ALICE), call_id)


async def hear(world: World, room: TellingRoom) -> None:
    """The webhooks told so far arrive and are worked out."""
    for event in room.told:
        await store(world, event)
    room.told.clear()
    await process_pending(world)


async def restart(on: Setup, world: World) -> None:
    """What a fresh process does in its first 30 s."""
    await timeouts.run_timeouts(world)
    await reconcile(world)
    for _ in range(2):
        on.clock.advance(15)
        await process_pending(world)
        await timeouts.run_timeouts(world)
        await reconcile(world)


async def until_killed(on: Setup, points: KillPoints, work: Callable[[World], Awaitable[None]]) -> bool:
    """Whether the process was killed before its work was done."""
    async with process(on, points) as world:
        try:
            await work(world)
        except (Killed, BaseExceptionGroup):
            return True
        return False


async def assert_same_on_both_sides(on: Setup) -> None:
    for call in await on.database.fetch("SELECT * FROM nchat_calls"):
        people = on.rooms.people.get(call["room_name"], {})
        if call["status"] == "ended":
            assert call["room_closed_at"] is not None
            assert call["room_name"] not in on.rooms.rooms
            assert people == {}
            continue
        assert call["room_sid"] == on.rooms.rooms[call["room_name"]].sid
        assert await seen_by_database(on, call["id"]) == {
            (one.identity, one.sid, any(track.muted for track in one.tracks)) for one in people.values()
        }
        for one in people.values():
            asked = await may_share(on, call["id"], one.identity)
            assert one.sources is None or ("screen_share" in one.sources) == asked
    assert await on.database.fetchval("SELECT count(*) FROM nchat_webhook_events WHERE processed_at IS NULL") == 0


async def seen_by_database(on: Setup, call_id: UUID) -> set[tuple[str, str, bool]]:
    rows = await on.database.fetch(
        "SELECT user_id::text, participant_sid, is_muted FROM nchat_call_participants WHERE call_id = $1 AND status = 'connected'", call_id
    )
    return {(row[0], row[1], row[2]) for row in rows}


async def may_share(on: Setup, call_id: UUID, identity: str) -> bool:
    row = await on.participant(call_id, UUID(identity))
    return row["screen_share_asked_at"] is not None or row["is_screen_sharing"]


async def clear(on: Setup) -> None:
    """The next life begins in an empty house."""
    for call in await on.database.fetch("SELECT id FROM nchat_calls WHERE status <> 'ended'"):
        await end_call(on.world, session(ALICE, "admin"), call["id"])


async def points_of_a_life(on: Setup) -> list[str]:
    """Every point that an undisturbed process passes."""
    whole = KillPoints()
    assert not await until_killed(on, whole, lambda world: life(on, world))
    assert not await until_killed(on, whole, lambda world: restart(on, world))
    await assert_same_on_both_sides(on)
    return whole.passed


async def test_a_life_passes_every_call_of_the_port(on: Setup) -> None:
    points = await points_of_a_life(on)
    # list_rooms is /readyz's question, and streams' viewers have a life of their own.
    for method in (name for name in vars(Rooms) if not name.startswith("_") and name not in ("list_rooms", "remove_exactly")):
        assert {f"rooms.{method}:before", f"rooms.{method}:after"} <= set(points), method


@pytest.mark.parametrize("share", range(SHARES))
async def test_killed_at_every_point_of_a_calls_life(on: Setup, share: int) -> None:
    number = share
    # The life that passes no point of this number is the last: it comes to its end.
    while await until_killed(on, KillPoints(number), lambda world: life(on, world)):
        # The restarted process is killed too, in the midst of its repairs, and the one after that comes through.
        await until_killed(on, KillPoints(number // SHARES), lambda world: restart(on, world))
        await restart(on, on.world)
        await assert_same_on_both_sides(on)
        await clear(on)
        number += SHARES
    assert number > share
