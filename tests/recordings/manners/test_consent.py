"""With `ask` nobody is recorded, and nobody gets a token while a recording runs, who has not agreed."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from domain.admission import Entrance, admitted
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call, refresh_call_token
from domain.calls.actions.kick import kick_participant, readmit_participant
from domain.calls.actions.lobby import admit_to_call
from domain.calls.actions.role import set_participant_role
from domain.errors import CallEnded, CallNotStarted, ConsentNeeded, NotAllowed, NotFound, ParticipantKicked
from domain.recordings.actions.consent import give_recording_consent
from domain.recordings.actions.stop import stop_recording
from domain.recordings.manners.consent import begin_agreed
from tests.recordings.manners.asked_call import AskedCall, begin
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


async def asked(on: Setup) -> AskedCall:
    """alice, bob and carol are connected; alice has pressed record."""
    call = await begin(on, BOB, CAROL, consent="ask")
    await call.arrive(BOB, CAROL)
    await call.record()
    return call


async def may_enter(on: Setup, call: AskedCall, user_id: UUID) -> bool:
    async with on.world.transaction("test") as tx:
        return bool(await admitted(tx, [Entrance(call.room.name, str(user_id))]))


async def test_it_begins_when_all_have_agreed(on: Setup) -> None:
    call = await asked(on)
    await call.turn()
    assert (await call.statuses(), await call.told(), on.recorder.egresses) == (["starting"], ["recording_consent_asked"], {})
    (event,) = [one for one in await on.events(call.id) if one.kind == "recording_consent_asked"]
    assert event.actor_id == str(ALICE)
    assert event.payload["until"] > on.clock.now().isoformat()
    await give_recording_consent(on.world, session(BOB), call.id)
    await call.turn()
    assert on.recorder.egresses == {}
    await give_recording_consent(on.world, session(CAROL), call.id)
    await call.turn()
    assert len(on.recorder.egresses) == 1
    assert await call.told() == ["recording_consent_asked", "recording_consented", "recording_consented", "recording_started"]


async def test_who_does_not_agree_within_30_seconds_is_out_before_it_begins(on: Setup) -> None:
    call = await asked(on)
    await give_recording_consent(on.world, session(BOB), call.id)
    await call.pass_time(29)
    assert (on.recorder.egresses, await call.state(CAROL)) == ({}, ("connected", None))
    await call.pass_time(1)
    assert await call.state(CAROL) == ("left", "consent_refused")
    assert set(on.rooms.people[call.room.name]) == {str(ALICE), str(BOB)}
    assert len(on.recorder.egresses) == 1
    with pytest.raises(ConsentNeeded):
        await join_call(on.world, session(CAROL), call.id)
    await give_recording_consent(on.world, session(CAROL), call.id)
    assert (await join_call(on.world, session(CAROL), call.id)).ticket is not None


async def test_nobody_is_recorded_whose_arrival_was_not_heard(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, consent="ask")
    await call.arrive(BOB)
    await accept_call(on.world, session(CAROL), call.id)
    on.rooms.join(call.room.name, str(CAROL), "microphone")
    await call.record()
    await give_recording_consent(on.world, session(BOB), call.id)
    await call.turn()
    assert on.recorder.egresses == {}
    await call.pass_time(30)
    assert await call.state(CAROL) == ("left", "consent_refused")
    assert str(CAROL) not in on.rooms.people[call.room.name]
    assert len(on.recorder.egresses) == 1


async def test_a_silent_livekit_begins_nothing(on: Setup) -> None:
    call = await asked(on)
    for user_id in (BOB, CAROL):
        await give_recording_consent(on.world, session(user_id), call.id)
    on.rooms.broken.add("list_participants")
    await call.turn()
    assert (await call.statuses(), on.recorder.egresses) == (["starting"], {})
    await call.pass_time(150)
    assert (await call.statuses(), (await call.told())[-1]) == (["failed"], "recording_failed")


async def test_two_hosts_and_several_workers_begin_one(on: Setup) -> None:
    call = await asked(on)
    await asyncio.gather(*(give_recording_consent(on.world, session(one), call.id) for one in (BOB, CAROL) for _ in range(3)))
    await asyncio.gather(*(begin_agreed(on.world) for _ in range(5)))
    await asyncio.gather(*(call.turn() for _ in range(3)))
    assert len(on.recorder.egresses) == 1
    told = await call.told()
    assert (told.count("recording_consented"), told.count("recording_started")) == (2, 1)


async def test_one_that_is_stopped_while_people_are_asked(on: Setup) -> None:
    call = await asked(on)
    (recording,) = await on.database.fetch("SELECT id FROM nchat_call_recordings")
    await stop_recording(on.world, session(ALICE), recording["id"])
    await call.turn()
    assert (await call.statuses(), on.recorder.egresses) == (["failed"], {})
    await call.pass_time(31)
    assert await call.state(BOB) == ("connected", None)


async def test_no_way_leads_to_a_token_without_consent(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, consent="ask")
    await call.arrive(BOB)
    await call.record()
    await give_recording_consent(on.world, session(BOB), call.id)
    await call.turn()
    carol = (await on.participant(call.id, CAROL))["id"]
    tokens, before = on.tokens.count, await dump(on.database)
    for enter in (accept_call, join_call):
        with pytest.raises(ConsentNeeded):
            await enter(on.world, session(CAROL), call.id)
    with pytest.raises(ConsentNeeded):
        await join_call(on.world, session(DAVE), call.id)
    assert await dump(on.database) == before
    assert await call.state(CAROL) == ("ringing", None)

    await kick_participant(on.world, session(ALICE), call.id, carol)
    with pytest.raises(ParticipantKicked):
        await give_recording_consent(on.world, session(CAROL), call.id)
    await readmit_participant(on.world, session(ALICE), call.id, carol)
    with pytest.raises(ConsentNeeded):
        await join_call(on.world, session(CAROL), call.id)
    assert on.tokens.count == tokens
    await give_recording_consent(on.world, session(CAROL), call.id)
    assert (await join_call(on.world, session(CAROL), call.id)).ticket is not None


async def test_the_door_and_a_fresh_token(on: Setup) -> None:
    """bob has a seat and a token, and LiveKit gives him more of them: none is worth anything before he agrees."""
    call = await begin(on, BOB, CAROL, consent="ask")
    await call.arrive(CAROL)
    await accept_call(on.world, session(BOB), call.id)
    assert await may_enter(on, call, BOB)
    recording_id = await call.record()
    for refused in (BOB, CAROL):
        assert not await may_enter(on, call, refused)
        with pytest.raises(ConsentNeeded):
            await refresh_call_token(on.world, session(refused), call.id)
    assert await may_enter(on, call, ALICE)
    await give_recording_consent(on.world, session(BOB), call.id)
    assert await may_enter(on, call, BOB)
    assert (await refresh_call_token(on.world, session(BOB), call.id)).ticket.token
    await stop_recording(on.world, session(ALICE), recording_id)
    assert await may_enter(on, call, CAROL)


async def test_who_gets_in_without_the_door_is_out_at_once(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, consent="ask")
    await call.arrive(BOB)
    await accept_call(on.world, session(CAROL), call.id)
    await call.record()
    await give_recording_consent(on.world, session(BOB), call.id)
    await call.turn()
    await call.room.join(CAROL, "microphone")
    await call.turn()
    assert await call.state(CAROL) == ("left", "consent_refused")
    assert str(CAROL) not in on.rooms.people[call.room.name]


async def test_before_a_recording_that_begins_by_itself(on: Setup) -> None:
    call = await begin(on, BOB, auto_record="second", consent="ask")
    with pytest.raises(ConsentNeeded):
        await accept_call(on.world, session(BOB), call.id)
    await call.arrive(BOB, consenting=True)
    await call.turn()
    assert (len(on.recorder.egresses), await call.told()) == (1, ["recording_consented", "recording_started"])


async def test_whoever_may_join_may_agree_and_nobody_else(on: Setup) -> None:
    call = await begin(on, BOB, consent="ask")
    await call.arrive(BOB)
    before = await dump(on.database)
    with pytest.raises(NotFound):
        await give_recording_consent(on.world, session(MALLORY), call.id)
    assert await dump(on.database) == before
    agreed = await give_recording_consent(on.world, session(DAVE), call.id)
    row = await on.participant(call.id, DAVE)
    assert (row["id"], row["status"], row["consented_at"]) == (agreed.participant_id, "invited", on.clock.now())
    on.clock.advance(1)
    assert await give_recording_consent(on.world, session(DAVE), call.id) == agreed
    assert (await call.told()).count("recording_consented") == 1
    assert (await on.participant(call.id, DAVE))["consented_at"] < on.clock.now()


async def test_one_who_sees_the_call_and_may_not_join(on: Setup) -> None:
    call = await begin(on, BOB, consent="ask")
    admin = session(MALLORY, role="admin")
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await give_recording_consent(on.world, admin, call.id)
    assert await dump(on.database) == before


async def test_agreeing_leads_past_no_lobby(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB], channel_id=GENERAL, lobby=True))
    await give_recording_consent(on.world, session(DAVE), started.call_id)
    assert (await join_call(on.world, session(DAVE), started.call_id)).ticket is None
    waiting = await on.participant(started.call_id, DAVE)
    assert (await on.kinds(started.call_id)).count("lobby_waiting") == 1
    await admit_to_call(on.world, session(ALICE), started.call_id, waiting["id"])
    assert (await join_call(on.world, session(DAVE), started.call_id)).ticket is not None


async def test_of_a_call_that_has_not_begun_or_is_over(on: Setup) -> None:
    waits = await on.database.fetchval(
        "INSERT INTO nchat_calls (initiator_id, channel_id, type) VALUES ($1, $2, 'video') RETURNING id", ALICE, GENERAL
    )
    over = await on.database.fetchval(
        "INSERT INTO nchat_calls (initiator_id, channel_id, type, status) VALUES ($1, $2, 'video', 'ended') RETURNING id", ALICE, GENERAL
    )
    before = await dump(on.database)
    for call_id, refusal in ((waits, CallNotStarted), (over, CallEnded)):
        with pytest.raises(refusal):
            await give_recording_consent(on.world, session(ALICE), call_id)
    assert await dump(on.database) == before


async def test_a_co_host_who_records_agrees_by_that(on: Setup) -> None:
    call = await begin(on, BOB, consent="ask")
    await call.arrive(BOB)
    bob = (await on.participant(call.id, BOB))["id"]
    await set_participant_role(on.world, session(ALICE), call.id, bob, "co_host")
    await call.record(by=BOB)
    await call.turn()
    # alice agreed by starting the call: nobody is left to be asked.
    assert (len(on.recorder.egresses), await call.told()) == (1, ["recording_started"])


Enter = Callable[..., Awaitable[object]]


@pytest.mark.parametrize("enter", [accept_call, join_call])
async def test_with_notify_nobody_is_asked(on: Setup, enter: Enter) -> None:
    call = await begin(on, BOB, CAROL)
    await call.arrive(BOB)
    await call.record()
    await call.turn()
    assert await call.told() == ["recording_started"]
    await enter(on.world, session(CAROL), call.id)
    assert await may_enter(on, call, CAROL)
