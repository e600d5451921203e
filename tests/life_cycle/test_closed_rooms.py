"""The room of an ended call goes, however long LiveKit was away, and the call says when."""

from contextlib import nullcontext
from datetime import datetime, timedelta

import pytest

from domain.calls.actions.leave import leave_call
from domain.ports import MediaError
from domain.reconciler import closed_rooms, reconcile
from domain.webhooks.inbox import process_pending, store
from tests.life_cycle.running_call import Running
from tests.life_cycle.test_reconciler import later
from tests.support.domain_setup import ALICE, BOB, MALLORY, session
from tests.support.telling_rooms import TellingRoom

pytestmark = pytest.mark.anyio


async def closed_at(call: Running) -> datetime | None:
    at: datetime | None = (await call.on.call(call.id))["room_closed_at"]
    return at


async def end_without_livekit(call: Running) -> None:
    """bob leaves, which ends a direct call, and LiveKit does not hear of it."""
    call.on.rooms.broken.add("delete_room")
    await leave_call(call.on.world, session(BOB), call.id)
    call.on.rooms.broken.clear()


async def test_marked_when_livekit_has_deleted_it(direct: Running) -> None:
    assert await closed_at(direct) is None
    await leave_call(direct.on.world, session(BOB), direct.id)
    assert await closed_at(direct) == direct.on.clock.now()


@pytest.mark.parametrize("hours", [0.01, 1, 24 * 60])
async def test_however_long_ago_the_end_was(direct: Running, hours: float) -> None:
    await end_without_livekit(direct)
    assert await closed_at(direct) is None
    await later(direct.on, hours * 3600)
    assert direct.room.name not in direct.on.rooms.rooms
    assert await closed_at(direct) == direct.on.clock.now()


async def test_a_room_that_is_gone_needs_only_the_mark(direct: Running) -> None:
    await end_without_livekit(direct)
    del direct.on.rooms.rooms[direct.room.name]
    asked = direct.on.rooms.asked["delete_room"]
    await later(direct.on)
    assert await closed_at(direct) is not None
    assert direct.on.rooms.asked["delete_room"] == asked


async def test_no_mark_while_livekit_does_not_answer(direct: Running) -> None:
    await end_without_livekit(direct)
    for broken in ("all_rooms", "delete_room"):
        direct.on.rooms.broken = {broken}
        direct.on.clock.advance(3600)
        with pytest.raises(MediaError) if broken == "all_rooms" else nullcontext():
            await reconcile(direct.on.world)
        assert await closed_at(direct) is None
    direct.on.rooms.broken.clear()
    await later(direct.on)
    assert await closed_at(direct) is not None


async def test_one_room_that_stays_keeps_only_its_own_mark_away(direct: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await end_without_livekit(direct)
    await direct.on.database.execute(
        "INSERT INTO nchat_calls (type, initiator_id, status, ended_at) VALUES ('audio', $1, 'ended', $2)", ALICE, direct.on.clock.now()
    )

    async def refuse(_self: object, name: str) -> None:
        raise MediaError(f"{name}: no answer")

    monkeypatch.setattr(type(direct.on.rooms), "delete_room", refuse)
    await later(direct.on)
    left = await direct.on.database.fetch("SELECT id FROM nchat_calls WHERE room_closed_at IS NULL")
    assert [row["id"] for row in left] == [direct.id]


async def test_a_long_history_is_marked_a_batch_a_round(direct: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed_rooms, "BATCH", 3)
    await direct.on.database.execute(
        "INSERT INTO nchat_calls (type, initiator_id, status, ended_at) SELECT 'audio', $1, 'ended', now() - interval '1 year'"
        " FROM generate_series(1, 7)",
        ALICE,
    )
    for marked in (3, 6, 7):
        await later(direct.on)
        assert await direct.on.database.fetchval("SELECT count(*) FROM nchat_calls WHERE room_closed_at IS NOT NULL") == marked
    assert await closed_at(direct) is None


async def test_what_another_process_marks_is_its_own(direct: Running) -> None:
    """Nobody waits for it, and its mark stays."""
    on = direct.on
    await end_without_livekit(direct)
    del on.rooms.rooms[direct.room.name]
    other = await on.database.fetchval(
        "INSERT INTO nchat_calls (type, initiator_id, status, ended_at) VALUES ('audio', $1, 'ended', now() - interval '1 year')"
        " RETURNING id",
        ALICE,
    )
    before = on.clock.now() - timedelta(seconds=1)
    async with on.database.transaction():
        await on.database.execute("UPDATE nchat_calls SET room_closed_at = $1 WHERE id = $2", before, direct.id)
        await later(on)
    assert await closed_at(direct) == before
    assert (await on.call(other))["room_closed_at"] == on.clock.now()


async def test_the_mark_is_no_change_that_anybody_sees(direct: Running) -> None:
    await end_without_livekit(direct)
    before = dict(await direct.on.call(direct.id))
    await later(direct.on)
    after = dict(await direct.on.call(direct.id))
    assert {name for name in after if after[name] != before[name]} == {"room_closed_at"}


async def test_a_room_that_comes_back_is_closed_again(direct: Running) -> None:
    """Where LiveKit opens rooms by itself, an old token brings a finished call's room back."""
    await leave_call(direct.on.world, session(BOB), direct.id)
    await direct.on.rooms.create_room(direct.room.name, max_participants=2)
    direct.on.rooms.join(direct.room.name, str(ALICE))
    await later(direct.on, 24 * 3600)
    assert direct.room.name not in direct.on.rooms.rooms


async def test_who_comes_into_a_room_that_came_back_is_out_at_once(direct: Running) -> None:
    await leave_call(direct.on.world, session(BOB), direct.id)
    room = await direct.on.rooms.create_room(direct.room.name, max_participants=2)
    assert room.sid != (await direct.on.call(direct.id))["room_sid"]
    await direct.room.join(ALICE)
    assert direct.room.name not in direct.on.rooms.rooms
    assert (await direct.status())[0] == "ended"


async def test_foreign_rooms_are_left_alone(direct: Running) -> None:
    await direct.on.rooms.create_room("somebody-elses", max_participants=2)
    direct.on.rooms.join("somebody-elses", str(MALLORY))
    await end_without_livekit(direct)
    await later(direct.on)
    assert set(direct.on.rooms.rooms) == {"somebody-elses"}
    assert str(MALLORY) in direct.on.rooms.people["somebody-elses"]


@pytest.mark.parametrize("first", [True, False], ids=["which_ends_the_call", "of_an_ended_call"])
async def test_the_webhook_of_its_end_is_a_confirmation(direct: Running, first: bool) -> None:
    if not first:
        await end_without_livekit(direct)
    room = TellingRoom(direct.on, direct.room.name, silent=True)
    direct.on.rooms.people.clear()
    asked = direct.on.rooms.asked["delete_room"]
    await room.finish()
    for event in room.told:
        await store(direct.on.world, event)
    await process_pending(direct.on.world)
    assert (await direct.status())[0] == "ended"
    assert await closed_at(direct) is not None
    assert direct.on.rooms.asked["delete_room"] == asked
