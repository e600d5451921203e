"""After a lost webhook, a crash or a restarted LiveKit, both sides are the same again."""

from uuid import UUID, uuid4

import pytest

from domain import timeouts
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.kick import kick_participant
from domain.calls.actions.leave import leave_call
from domain.calls.actions.screen_share import start_screen_share, stop_screen_share
from domain.errors import MediaUnavailable
from domain.ports import MediaError
from domain.reconciler import kick_watch, reconcile
from resolvers.sql.database import DatabaseError
from tests.life_cycle.running_call import Running
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, Setup, session
from tests.support.dump import dump
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio


async def later(on: Setup, seconds: float = 15) -> None:
    """The next round of the reconciler."""
    on.clock.advance(seconds)
    await reconcile(on.world)


async def test_both_sides_alike_is_nothing_to_do(group: Running) -> None:
    await later(group.on)
    before = await dump(group.on.database)
    await later(group.on)
    assert await dump(group.on.database) == before


async def test_joins_that_nobody_told_of(group: Running) -> None:
    group.room.silent = True
    await group.room.leave(BOB, "connection_timeout")
    back = await group.room.join(BOB, "camera")
    await later(group.on)
    bob = await group.on.participant(group.id, BOB)
    assert (bob["status"], bob["participant_sid"], bob["is_video_enabled"]) == ("connected", back.sid, True)


async def test_a_call_connects_without_webhooks(ringing: Running) -> None:
    ringing.room.silent = True
    await accept_call(ringing.on.world, session(BOB), ringing.id)
    await ringing.room.join(ALICE)
    await ringing.room.join(BOB)
    await later(ringing.on, 5)
    assert await ringing.status() == ("connected", None)


async def test_who_is_not_active_is_not_there(ringing: Running) -> None:
    await accept_call(ringing.on.world, session(BOB), ringing.id)
    await ringing.room.join(ALICE)
    ringing.on.rooms.join(ringing.room.name, str(BOB), state="joining")
    await later(ringing.on, 5)
    assert await ringing.status() == ("connecting", None)
    assert str(BOB) in ringing.on.rooms.people[ringing.room.name]


async def test_an_absence_counts_at_the_second_look(group: Running) -> None:
    group.room.silent = True
    await group.room.leave(BOB)
    await later(group.on)
    assert await group.standing(BOB) == ("connected", None)
    await later(group.on, 9)
    assert await group.standing(BOB) == ("connected", None)
    await later(group.on, 1)
    assert await group.standing(BOB) == ("disconnected", None)
    assert await group.on.database.fetchval("SELECT count(*) FROM nchat_call_absences") == 0


async def test_two_absences_with_a_sight_between_are_none(group: Running) -> None:
    group.room.silent = True
    await group.room.leave(BOB)
    await later(group.on)
    await group.room.join(BOB)
    await later(group.on)
    await group.room.leave(BOB)
    await later(group.on)
    assert await group.standing(BOB) == ("connected", None)


async def test_a_restarted_media_server_gets_its_rooms_back(direct: Running) -> None:
    direct.on.rooms.rooms.clear()
    direct.on.rooms.people.clear()
    await later(direct.on)
    assert direct.room.sid == (await direct.on.call(direct.id))["room_sid"]
    await later(direct.on)
    assert await direct.status() == ("reconnecting", None)
    await direct.room.join(ALICE)
    await direct.room.join(BOB)
    assert await direct.status() == ("connected", None)


async def test_nobody_comes_back(direct: Running) -> None:
    direct.on.rooms.people.clear()
    await later(direct.on)
    await later(direct.on)
    direct.on.clock.advance(30)
    await timeouts.run_timeouts(direct.on.world)
    assert await direct.status() == ("ended", "network_error")


async def test_a_mute_is_seen_here_only(direct: Running) -> None:
    bob = direct.on.rooms.people[direct.room.name][str(BOB)]
    await direct.on.rooms.mute_track(direct.room.name, str(BOB), bob.tracks[0].sid)
    await later(direct.on)
    assert (await direct.on.participant(direct.id, BOB))["is_muted"]
    assert (await direct.kinds())[-1] == "call_mute_changed"


async def test_whoever_holds_no_seat_is_put_out(group: Running) -> None:
    carol = await group.on.participant(group.id, CAROL)
    group.on.rooms.broken.add("remove_participant")
    await kick_participant(group.on.world, session(ALICE), group.id, carol["id"])
    group.on.rooms.broken.clear()
    group.on.rooms.join(group.room.name, str(MALLORY))
    before = await group.state()
    await later(group.on)
    assert set(group.on.rooms.people[group.room.name]) == {str(ALICE), str(BOB)}
    assert await group.state() == before


class Killed(BaseException):
    """The process is gone at this very point."""


async def test_a_start_that_was_cut_off_is_finished(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(name: str, *, max_participants: int) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(on.rooms), "create_room", lambda _self, name, **options: die(name, **options))
        with pytest.raises(Killed):
            await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    await later(on, 6)
    call = await on.database.fetchrow("SELECT id, status, room_name, room_sid FROM nchat_calls")
    assert call is not None
    assert call["status"] == "ringing"
    assert call["room_sid"] == on.rooms.rooms[call["room_name"]].sid
    assert await on.pushes() == [("ring", BOB)]


async def test_a_row_that_waits_to_be_started_gets_no_room(on: Setup) -> None:
    await on.database.execute(
        "INSERT INTO nchat_calls (id, type, initiator_id, channel_id) VALUES ($1, 'audio', $2, $3)", uuid4(), ALICE, GENERAL
    )
    await later(on)
    assert on.rooms.rooms == {}


async def test_a_media_server_that_does_not_answer_is_not_an_empty_one(direct: Running) -> None:
    direct.on.rooms.broken |= {"all_rooms", "list_participants"}
    before = await dump(direct.on.database)
    for _ in range(3):
        direct.on.clock.advance(15)
        with pytest.raises(MediaError):
            await reconcile(direct.on.world)
    assert await dump(direct.on.database) == before


async def test_one_room_that_fails_holds_up_no_other(direct: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    other = await initiate_call(direct.on.world, session(CAROL), CallRequest("audio", channel_id=GENERAL))
    direct.on.rooms.join(other.room_name, str(CAROL))
    answers = type(direct.on.rooms).list_participants

    async def picky(self: object, room: str) -> object:
        if room == direct.room.name:
            raise MediaError("no answer")
        return await answers(direct.on.rooms, room)

    monkeypatch.setattr(type(direct.on.rooms), "list_participants", picky)
    await later(direct.on)
    assert (await direct.on.participant(other.call_id, CAROL))["status"] == "connected"


async def refuse_to_write(on: Setup, table: str, call_id: UUID) -> None:
    """From now on the database refuses every change of this call's rows in a table."""
    column = "id" if table == "nchat_calls" else "call_id"
    await on.database.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '22000'; END $$
    """)
    await on.database.execute(
        f"CREATE TRIGGER refuse BEFORE UPDATE ON {table} FOR EACH ROW WHEN (OLD.{column} = '{call_id}') EXECUTE FUNCTION refuse()"
    )


async def test_one_call_that_the_database_refuses_holds_up_no_other(direct: Running, log_lines: LogLines) -> None:
    """Nor the rooms of ended calls, nor what was seen; but the round has failed, and says of whom."""
    on = direct.on
    other = await initiate_call(on.world, session(CAROL), CallRequest("audio", channel_id=GENERAL))
    ended = await initiate_call(on.world, session(DAVE), CallRequest("audio", channel_id=GENERAL))
    on.rooms.broken.add("delete_room")
    await leave_call(on.world, session(DAVE), ended.call_id)
    on.rooms.broken.clear()
    on.rooms.join(other.room_name, str(CAROL))
    await refuse_to_write(on, "nchat_call_participants", direct.id)
    direct.room.silent = True
    await direct.room.join(ALICE, "microphone")
    with pytest.raises(ExceptionGroup) as failed:
        await later(on)
    assert [type(one) for one in failed.value.exceptions] == [DatabaseError]
    assert [line["what"] for line in log_lines if line["event"] == "not_reconciled"] == [f"call {direct.id}"]
    assert (await on.participant(other.call_id, CAROL))["status"] == "connected"
    assert (await on.call(ended.call_id))["room_closed_at"] is not None
    looked = await on.database.fetch("SELECT call_id, differs_since FROM nchat_call_looks")
    assert {row["call_id"] for row in looked if row["differs_since"] is not None} >= {direct.id}


async def test_one_start_that_the_database_refuses_holds_up_no_other(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(name: str, *, max_participants: int) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(on.rooms), "create_room", lambda _self, name, **options: die(name, **options))
        for caller in (ALICE, BOB):
            with pytest.raises(Killed):
                await initiate_call(on.world, session(caller), CallRequest("audio", channel_id=GENERAL))
    calls = {row["initiator_id"]: row["id"] for row in await on.database.fetch("SELECT id, initiator_id FROM nchat_calls")}
    await refuse_to_write(on, "nchat_calls", calls[ALICE])
    with pytest.raises(ExceptionGroup):
        await later(on, 6)
    assert [(await on.call(calls[one]))["status"] for one in (ALICE, BOB)] == ["initiated", "connecting"]


async def test_a_failed_start_stays_failed(on: Setup) -> None:
    on.rooms.broken.add("create_room")
    with pytest.raises(MediaUnavailable):
        await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    on.rooms.broken.clear()
    await later(on)
    assert on.rooms.rooms == {}
    assert await on.database.fetchval("SELECT status::text FROM nchat_calls") == "ended"


async def test_the_watch_after_a_kick(group: Running) -> None:
    bob = await group.on.participant(group.id, BOB)
    await kick_participant(group.on.world, session(ALICE), group.id, bob["id"])
    group.room.silent = True
    for _ in range(14):
        await group.room.join(BOB)
        group.on.clock.advance(1)
        assert await kick_watch.watch(group.on.world) == 1
        assert str(BOB) not in group.on.rooms.people[group.room.name]
    await group.room.join(BOB)
    group.on.clock.advance(1)
    assert await kick_watch.watch(group.on.world) == 0
    await later(group.on, 0)
    assert str(BOB) not in group.on.rooms.people[group.room.name]


async def test_the_watch_survives_a_media_server_that_is_away(group: Running) -> None:
    bob = await group.on.participant(group.id, BOB)
    await kick_participant(group.on.world, session(ALICE), group.id, bob["id"])
    group.on.rooms.broken.add("remove_participant")
    assert await kick_watch.watch(group.on.world) == 0


async def test_a_right_that_never_reached_the_media_server(group: Running) -> None:
    on, world = group.on, group.on.world
    await start_screen_share(world, session(BOB), group.id)
    on.rooms.broken.add("set_grant")
    with pytest.raises(MediaUnavailable):
        await stop_screen_share(world, session(BOB), group.id)
    assert "screen_share" in on.rooms.grants[group.room.name, str(BOB)].sources
    on.rooms.broken.clear()
    await later(on)
    assert on.rooms.grants[group.room.name, str(BOB)].sources == ("microphone", "camera")
