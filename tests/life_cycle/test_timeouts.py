"""What ends by itself, exactly when it should and only once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.jobs.loops import find_timeouts
from domain import timeouts
from domain.calls.actions.answer import accept_call, decline_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call, refresh_call_token
from domain.calls.actions.leave import leave_call
from domain.calls.repairs import AT_ONCE
from domain.ports import MediaSilent
from domain.timeouts import TIMEOUTS
from resolvers.sql.database import DatabaseError
from tests.life_cycle.running_call import Running
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, Setup, newcomers, session
from tests.support.dump import dump
from tests.support.fake_rooms import FakeRooms
from tests.support.telling_rooms import TellingRoom

pytestmark = pytest.mark.anyio


async def passes(on: Setup, seconds: float) -> int:
    """Time goes by, and the timeouts are looked at once."""
    on.clock.advance(seconds)
    return await timeouts.run_timeouts(on.world)


async def test_nothing_is_due_before_its_time(ringing: Running) -> None:
    before = await dump(ringing.on.database)
    assert await passes(ringing.on, 44.9) == 0
    assert await dump(ringing.on.database) == before


async def test_a_ring_runs_out(ringing: Running) -> None:
    assert await passes(ringing.on, 45) == 1
    assert await ringing.status() == ("ended", "no_answer")
    assert await ringing.standing(BOB) == ("left", "missed")
    assert await ringing.standing(ALICE) == ("left", "call_ended")
    assert ("missed", BOB) in await ringing.on.pushes()
    assert ringing.room.name not in ringing.on.rooms.rooms


async def test_twice_and_at_once_is_once(ringing: Running) -> None:
    ringing.on.clock.advance(45)
    await asyncio.gather(*(timeouts.run_timeouts(ringing.on.world) for _ in range(4)))
    kinds = await ringing.kinds()
    assert kinds.count("call_end") == 1
    assert kinds.count("call_participant_left") == 1
    assert (await ringing.on.pushes()).count(("missed", BOB)) == 1
    before = await dump(ringing.on.database)
    assert await timeouts.run_timeouts(ringing.on.world) == 0
    assert await dump(ringing.on.database) == before


async def test_the_calls_own_ring_timeout_counts(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB], ring_timeout_seconds=5))
    assert await passes(on, 4) == 0
    assert await passes(on, 1) == 1
    assert (await on.call(started.call_id))["end_reason"] == "no_answer"


async def test_who_does_not_answer_misses_a_call_that_others_take(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB, CAROL]))
    await accept_call(on.world, session(BOB), started.call_id)
    room = TellingRoom(on, started.room_name)
    await room.join(ALICE)
    await room.join(BOB)
    await passes(on, 45)
    running = Running(on, started.call_id, room)
    assert await running.standing(CAROL) == ("left", "missed")
    assert await running.status() == ("connected", None)
    assert ("missed", CAROL) in await on.pushes()


async def test_one_declined_the_other_did_not_answer(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB, CAROL]))
    await decline_call(on.world, session(BOB), started.call_id)
    await passes(on, 45)
    assert (await on.call(started.call_id))["end_reason"] == "no_answer"


async def test_an_accepted_call_that_never_connects_fails(ringing: Running) -> None:
    await accept_call(ringing.on.world, session(BOB), ringing.id)
    await ringing.room.join(ALICE)
    assert await passes(ringing.on, 59.9) == 0
    assert await passes(ringing.on, 0.1) == 1
    assert await ringing.status() == ("ended", "failed")


async def test_a_channels_call_waits_while_its_starter_is_in(channel: Running) -> None:
    await channel.room.join(ALICE)
    assert await passes(channel.on, 3600) == 0
    assert await channel.status() == ("connecting", None)
    await join_call(channel.on.world, session(BOB), channel.id)
    await channel.room.join(BOB)
    assert await channel.status() == ("connected", None)


async def test_a_channels_call_whose_starter_never_came_fails(channel: Running) -> None:
    assert await passes(channel.on, 60) == 1
    assert await channel.status() == ("ended", "failed")


async def test_a_seat_that_nobody_takes_lapses(group: Running) -> None:
    await join_call(group.on.world, session(DAVE), group.id)
    assert await passes(group.on, 659) == 0
    await refresh_call_token(group.on.world, session(DAVE), group.id)
    assert await passes(group.on, 659) == 0
    assert await passes(group.on, 1) == 1
    assert await group.standing(DAVE) == ("left", "never_joined")
    assert await group.status() == ("connected", None)


async def test_reconnecting_for_too_long_ends_the_call(direct: Running) -> None:
    await direct.room.leave(BOB, "connection_timeout")
    assert await passes(direct.on, 29.9) == 0
    assert await passes(direct.on, 0.1) == 1
    assert await direct.status() == ("ended", "network_error")


async def test_whoever_stays_lost_for_a_minute_has_left(group: Running) -> None:
    await group.room.leave(CAROL, "connection_timeout")
    assert await passes(group.on, 59.9) == 0
    assert await passes(group.on, 0.1) == 1
    assert await group.standing(CAROL) == ("left", "network_error")
    assert await group.status() == ("connected", None)


async def test_when_the_missing_one_leaves_nobody_is_missing(group: Running) -> None:
    await group.room.leave(CAROL)
    await group.room.leave(BOB, "connection_timeout")
    assert await group.status() == ("reconnecting", None)
    bob = await group.on.participant(group.id, BOB)
    await group.on.database.execute("UPDATE nchat_call_participants SET status = 'left' WHERE id = $1", bob["id"])
    assert await passes(group.on, 30) == 1
    assert await group.status() == ("connected", None)


async def test_the_longest_call(group: Running) -> None:
    assert await passes(group.on, 480 * 60 - 1) == 0
    assert await passes(group.on, 1) == 1
    assert await group.status() == ("ended", "timeout")


@pytest.mark.parametrize(("scheduled_hours", "lives_seconds"), [(None, 600), (2, 26 * 3600)])
async def test_a_call_that_never_starts(on: Setup, scheduled_hours: int | None, lives_seconds: int) -> None:
    call_id, now = uuid4(), on.clock.now()
    await on.database.execute(
        "INSERT INTO nchat_calls (id, type, initiator_id, channel_id, scheduled_at, created_at)"
        " VALUES ($1, 'audio', $2, $3, $4::timestamptz + make_interval(hours => $5), $4)",
        *(call_id, ALICE, GENERAL, now, scheduled_hours),
    )
    assert await passes(on, lives_seconds - 1) == 0
    assert await passes(on, 1) == 1
    row = await on.call(call_id)
    assert (row["status"], row["end_reason"]) == ("ended", "cancelled")


async def test_a_media_server_that_is_away_stops_no_timeout(ringing: Running) -> None:
    ringing.on.rooms.broken.add("delete_room")
    await passes(ringing.on, 45)
    assert await ringing.status() == ("ended", "no_answer")
    assert ringing.room.name in ringing.on.rooms.rooms


@dataclass(slots=True)
class SilentRooms(FakeRooms):
    """A LiveKit that answers nothing any more; `told` hears when it is asked."""

    told: Callable[[str], Awaitable[None]] | None = None

    async def delete_room(self, name: str) -> None:
        if self.told is not None:
            await self.told(name)
        raise MediaSilent("rooms.delete_room: no answer within 5 s")


async def test_no_timeout_waits_for_a_silent_media_server(on: Setup) -> None:
    """Every ring that ran out is over before LiveKit is asked, and after its first silence nobody else is."""
    for caller in await newcomers(on, 15):
        await initiate_call(on.world, session(caller), CallRequest("audio", [BOB]))
    on.clock.advance(45)
    living: dict[str, int] = {}

    async def count_the_living(room: str) -> None:
        async with on.world.transaction("count") as tx:
            living[room] = (await tx.connection.execute(sa.text("SELECT count(*) FROM nchat_calls WHERE status <> 'ended'"))).scalar_one()

    assert await timeouts.run_timeouts(replace(on.world, rooms=SilentRooms(told=count_the_living))) == 15
    assert 1 <= len(living) <= AT_ONCE
    assert set(living.values()) == {0}


async def test_an_heir_who_is_lost_too_hands_the_call_on(group: Running) -> None:
    await join_call(group.on.world, session(DAVE), group.id)
    await group.room.join(DAVE)
    await group.on.database.execute("UPDATE nchat_call_participants SET role = 'co_host' WHERE user_id = $1", BOB)
    for user_id in (ALICE, BOB):
        await group.room.leave(user_id, "connection_timeout")
    await passes(group.on, 60)
    roles = {user_id: (await group.on.participant(group.id, user_id))["role"] for user_id in (ALICE, BOB, CAROL, DAVE)}
    assert roles == {ALICE: "participant", BOB: "participant", CAROL: "host", DAVE: "participant"}
    assert await group.status() == ("connected", None)


async def test_when_the_missing_one_hangs_up_the_call_is_back_at_once(group: Running) -> None:
    await group.room.leave(CAROL)
    await group.room.leave(BOB, "connection_timeout")
    assert await group.status() == ("reconnecting", None)
    await leave_call(group.on.world, session(BOB), group.id)
    assert await group.status() == ("connected", None)


async def test_a_table_that_somebody_has_locked_keeps_no_other_kind_waiting(on: Setup) -> None:
    """The one question for all of them gives up soon, and each kind looks for itself."""
    kinds = [timeout for timeout in TIMEOUTS if timeout.matters(on.world)]
    due = {timeout.name: asyncio.Event() for timeout in kinds}
    async with on.database.transaction():
        await on.database.execute("LOCK TABLE nchat_call_participants IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseError, match="statement timeout"):
            await find_timeouts(on.world, kinds, due)
    assert all(event.is_set() for event in due.values())
    for event in due.values():
        event.clear()
    await find_timeouts(on.world, kinds, due)
    assert not any(event.is_set() for event in due.values())
