"""Whose a broadcast is: its call's. Whoever is out of the call hosts it no more, and the call's hosts may end it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.calls.actions.join import join_call
from domain.calls.actions.kick import kick_participant, readmit_participant
from domain.calls.actions.leave import leave_call
from domain.calls.actions.role import set_participant_role
from domain.errors import ActionError, NotAllowed, NotFound
from domain.recordings.actions.stop import delete_recording
from domain.streams.actions.start import start_broadcast
from domain.streams.actions.stop import cancel_stream, stop_stream
from domain.streams.chat.bans import ban_from_stream
from domain.streams.ingress.reset import reset_stream_ingress
from domain.streams.ingress.rounds import look_at_ingresses
from domain.streams.planning import StreamPlan
from domain.timeouts import run_timeouts
from tests.recordings.recorded_call import RecordedCall
from tests.streams.life.staged_stream import StagedStream, broadcast
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
UPDATE = """mutation ($id: uuid!) {
  update_nchat_streams_by_pk(pk_columns: {id: $id}, _set: {visibility: "public"}) { visibility }
}"""
INGRESSES = "SELECT retired_at IS NOT NULL AS retired, identity FROM nchat_stream_ingresses ORDER BY created_at"


async def participant_id(call: RecordedCall, user_id: UUID) -> UUID:
    found: UUID = (await call.on.participant(call.id, user_id))["id"]
    return found


async def shown_by_bob(call: RecordedCall, plan: StreamPlan | None = None) -> tuple[StagedStream, str]:
    """bob, a co-host, shows the call, and sends with an encoder besides; the encoder's identity."""
    await set_participant_role(call.on.world, session(ALICE), call.id, await participant_id(call, BOB), "co_host")
    shown = await broadcast(call, plan, by=BOB, ingress="rtmp")
    assert await shown.is_now() == "live"
    encoder = call.on.ingests.wanted["IN_1"].identity
    call.on.rooms.join(call.room_name, encoder, "camera")
    return shown, encoder


async def kick(call: RecordedCall, user_id: UUID = BOB) -> None:
    await kick_participant(call.on.world, session(ALICE), call.id, await participant_id(call, user_id))


async def leave(call: RecordedCall, user_id: UUID = BOB) -> None:
    await leave_call(call.on.world, session(user_id), call.id)


async def lose(call: RecordedCall, user_id: UUID = BOB) -> None:
    """Cut off, and not back in time."""
    await call.room.leave(user_id, "unknown_reason")
    call.on.clock.advance(60)
    await run_timeouts(call.on.world)


async def is_refused(on: Setup, asked: Awaitable[object], by: type[ActionError] = NotAllowed) -> None:
    """And nothing is changed, and nobody at LiveKit's asked."""
    before, ingress, rooms = await dump(on.database), on.ingests.asked.copy(), on.rooms.asked.copy()
    with pytest.raises(by):
        await asked
    assert await dump(on.database) == before
    assert (on.ingests.asked, on.rooms.asked) == (ingress, rooms)


@pytest.mark.parametrize("hosts_as", ["host", "co_host"])
@pytest.mark.parametrize("end", [stop_stream, cancel_stream])
async def test_who_hosts_the_call_may_end_what_shows_it(call: RecordedCall, hosts_as: str, end: Callable[..., Awaitable[object]]) -> None:
    """Also where it is for others, and where its host keeps them out of it."""
    await set_participant_role(call.on.world, session(ALICE), call.id, await participant_id(call, BOB), "co_host")
    await set_participant_role(call.on.world, session(ALICE), call.id, await participant_id(call, CAROL), "co_host")
    started = await start_broadcast(call.on.world, session(BOB), call.id, StreamPlan(visibility="invite_only"))
    shown = StagedStream(call.on, started.stream_id, call.room, call.room_name)
    await ban_from_stream(call.on.world, session(BOB), shown.id, ALICE)
    await is_refused(call.on, end(call.on.world, session(DAVE), shown.id), NotFound)
    await end(call.on.world, session(ALICE if hosts_as == "host" else CAROL), shown.id)
    assert await shown.is_now() == "cancelled"
    assert (await call.on.call(call.id))["status"] == "connected" and call.room_name in call.on.rooms.rooms


async def test_who_does_not_host_it_may_not(call: RecordedCall) -> None:
    shown, _ = await shown_by_bob(call)
    for who in (CAROL, DAVE):
        await is_refused(call.on, stop_stream(call.on.world, session(who), shown.id))
    await stop_stream(call.on.world, session(ALICE), shown.id)
    assert await shown.is_now() == "ending"


@pytest.mark.parametrize("out", [leave, kick])
async def test_who_hosted_the_call_and_is_out_ends_nothing(call: RecordedCall, out: Callable[..., Awaitable[None]]) -> None:
    shown = await broadcast(call)
    await set_participant_role(call.on.world, session(ALICE), call.id, await participant_id(call, BOB), "co_host")
    await out(call, BOB)
    await is_refused(call.on, stop_stream(call.on.world, session(BOB), shown.id))
    assert await shown.is_now() == "live"


@pytest.mark.parametrize("out", [leave, lose, kick])
async def test_who_is_out_of_the_call_hosts_what_shows_it_no_more(
    call: RecordedCall, client: Api, out: Callable[..., Awaitable[None]]
) -> None:
    """From the same commit on, before any job has run."""
    shown, encoder = await shown_by_bob(call)
    await out(call)
    assert (await shown.row())["host_id"] == ALICE
    assert [dict(row) for row in await call.on.database.fetch(INGRESSES)] == [{"retired": True, "identity": encoder}]
    assert encoder not in call.on.rooms.people[call.room_name]
    await is_refused(call.on, reset_stream_ingress(call.on.world, session(BOB), shown.id))
    await is_refused(call.on, stop_stream(call.on.world, session(BOB), shown.id))
    assert await client.data(session(BOB), UPDATE, {"id": str(shown.id)}) == {"update_nchat_streams_by_pk": None}
    assert (await shown.row())["visibility"] == "channel_members"
    await look_at_ingresses(call.on.world)
    assert call.on.ingests.ingresses == {}, "the key still opens the room"
    assert await client.data(session(ALICE), UPDATE, {"id": str(shown.id)}) == {"update_nchat_streams_by_pk": {"visibility": "public"}}


@pytest.mark.parametrize("out", [leave, lose])
async def test_a_broadcast_goes_on_without_who_began_it(call: RecordedCall, out: Callable[..., Awaitable[None]]) -> None:
    shown, _ = await shown_by_bob(call)
    await out(call)
    await shown.turn()
    assert await shown.is_now() == "live"
    await join_call(call.on.world, session(BOB), call.id)
    assert (await shown.row())["host_id"] == ALICE, "as the call itself, it is not handed back"


async def test_the_host_s_passes_on_with_the_call(call: RecordedCall) -> None:
    shown = await broadcast(call)
    await leave(call, ALICE)
    heir = await call.on.database.fetchval("SELECT user_id FROM nchat_call_participants WHERE call_id = $1 AND role = 'host'", call.id)
    assert heir in (BOB, CAROL) and (await shown.row())["host_id"] == heir


@pytest.mark.parametrize("left_before", [False, True])
async def test_what_the_kicked_began_ends_and_the_call_goes_on(call: RecordedCall, left_before: bool) -> None:
    """It is sent where they said, also to platforms of theirs: it is not for another to go on with."""
    shown, _ = await shown_by_bob(call)
    if left_before:
        await leave(call)
    await kick(call)
    await shown.turn()
    assert (await shown.is_now(), await shown.failure()) == ("ending", "host_kicked")
    await shown.complete("EG_1")
    assert (await shown.is_now(), (await call.on.call(call.id))["status"]) == ("ended", "connected")
    (ended,) = [one.payload for one in await call.on.events(call.id) if one.kind == "stream_ended"]
    assert ended == {"streamId": str(shown.id), "reason": "host_kicked"}
    again = await start_broadcast(call.on.world, session(ALICE), call.id, StreamPlan())
    assert again.stream_id != shown.id


async def test_another_s_goes_on_when_somebody_is_kicked(call: RecordedCall) -> None:
    shown, encoder = await shown_by_bob(call)
    await kick(call, CAROL)
    await shown.turn()
    assert (await shown.is_now(), (await shown.row())["host_id"]) == ("live", BOB)
    assert encoder in call.on.rooms.people[call.room_name]


async def test_of_what_is_over_only_the_kicked_lose_what_they_hosted(call: RecordedCall, client: Api) -> None:
    shown, _ = await shown_by_bob(call)
    await stop_stream(call.on.world, session(BOB), shown.id)
    await shown.turn()
    await shown.complete("EG_1")
    assert await shown.is_now() == "ended"
    await leave(call)
    assert (await shown.row())["host_id"] == BOB
    await kick(call)
    assert (await shown.row())["host_id"] == ALICE
    assert await client.data(session(BOB), UPDATE, {"id": str(shown.id)}) == {"update_nchat_streams_by_pk": None}


async def test_the_recording_is_the_call_s_hosts_to_remove_and_not_the_kicked_s(call: RecordedCall) -> None:
    shown, _ = await shown_by_bob(call, StreamPlan(record=True))
    await stop_stream(call.on.world, session(BOB), shown.id)
    await shown.turn()
    await shown.complete("EG_1")
    recording = await shown.recording()
    assert (recording["status"], recording["started_by"]) == ("ready", BOB)
    await kick(call)
    for who in (BOB, CAROL):
        await is_refused(call.on, delete_recording(call.on.world, session(who), recording["id"]))
    await delete_recording(call.on.world, session(ALICE), recording["id"])
    assert (await shown.recording())["delete_asked_at"] is not None


async def test_who_takes_it_over_is_not_banned_from_it(call: RecordedCall) -> None:
    shown, _ = await shown_by_bob(call)
    await ban_from_stream(call.on.world, session(BOB), shown.id, ALICE)
    await leave(call)
    assert await call.on.database.fetchval("SELECT count(*) FROM nchat_stream_bans WHERE lifted_at IS NULL") == 0


async def test_an_id_of_a_request_that_both_have_used_keeps_nobody_in(call: RecordedCall) -> None:
    """It is to be seen by whoever sees the stream: nobody may hold the other in the call with it."""
    request = uuid4()
    shown, _ = await shown_by_bob(call, StreamPlan(client_request_id=request))
    taken = "INSERT INTO nchat_streams (channel_id, host_id, title, client_request_id) VALUES ($1, $2, 'mine', $3)"
    await call.on.database.execute(taken, GENERAL, ALICE, request)
    await leave(call)
    assert (await shown.row())["host_id"] == ALICE


async def test_an_encoder_that_comes_back_before_livekit_forgets_its_key_is_put_out(call: RecordedCall) -> None:
    _, encoder = await shown_by_bob(call)
    call.on.rooms.broken.add("remove_participant")
    await kick(call)
    assert encoder in call.on.rooms.people[call.room_name]
    call.on.rooms.broken.clear()
    told: dict[str, dict[str, object]] = {"participant": {"identity": encoder, "sid": "PA_encoder", "kind": "ingress", "state": "active"}}
    await call.room.tell("participant_joined", told)
    assert encoder not in call.on.rooms.people[call.room_name]


async def test_a_kick_beside_all_that_a_host_can_do(call: RecordedCall) -> None:
    """Whatever comes first: in the end the kicked host nothing, and no key of theirs opens the room."""
    shown, _ = await shown_by_bob(call)
    as_bob = session(BOB)
    done = await asyncio.gather(
        *(reset_stream_ingress(call.on.world, as_bob, shown.id) for _ in range(3)),
        kick(call),
        start_broadcast(call.on.world, as_bob, call.id, StreamPlan(), "whip"),
        leave(call),
        *(reset_stream_ingress(call.on.world, as_bob, shown.id) for _ in range(3)),
        return_exceptions=True,
    )
    assert [one for one in done if isinstance(one, Exception) and not isinstance(one, ActionError)] == []
    await kick(call)
    call.on.clock.advance(timedelta(minutes=2).total_seconds())
    await look_at_ingresses(call.on.world)
    assert {row["host_id"] for row in await call.on.database.fetch("SELECT host_id FROM nchat_streams")} == {ALICE}
    assert {row["retired"] for row in await call.on.database.fetch(INGRESSES)} == {True}
    assert call.on.ingests.ingresses == {}
    await shown.turn()
    assert await shown.failure() == "host_kicked"


async def test_who_is_let_back_in_hosts_nothing(call: RecordedCall) -> None:
    shown, _ = await shown_by_bob(call)
    await kick(call)
    await shown.turn()
    await readmit_participant(call.on.world, session(ALICE), call.id, await participant_id(call, BOB))
    await join_call(call.on.world, session(BOB), call.id)
    assert (await shown.is_now(), (await shown.row())["host_id"]) == ("ending", ALICE)
    await is_refused(call.on, reset_stream_ingress(call.on.world, session(BOB), shown.id))
