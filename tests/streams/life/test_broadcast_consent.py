"""A broadcast is a recording of its call: where that asks for consent nobody is shown, and nobody gets in, who has not agreed."""

from uuid import UUID

import pytest

from domain.admission import Entrance, admitted
from domain.calls.actions.answer import accept_call
from domain.calls.actions.join import join_call, refresh_call_token
from domain.errors import ConsentNeeded
from domain.recordings.actions.consent import give_recording_consent
from domain.streams.actions.start import start_broadcast
from domain.streams.actions.stop import stop_stream
from domain.streams.planning import StreamPlan
from tests.recordings.manners.asked_call import AskedCall, begin
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session

pytestmark = pytest.mark.anyio


async def show(call: AskedCall) -> UUID:
    """alice shows it."""
    return (await start_broadcast(call.on.world, session(ALICE), call.id, StreamPlan())).stream_id


async def agree(call: AskedCall, *people: UUID) -> None:
    for user_id in people:
        await give_recording_consent(call.on.world, session(user_id), call.id)


async def told(call: AskedCall) -> list[str]:
    return [kind for kind in await call.on.kinds(call.id) if kind.startswith(("recording_", "stream_"))]


async def may_enter(call: AskedCall, user_id: UUID) -> bool:
    async with call.on.world.transaction("test") as tx:
        return bool(await admitted(tx, [Entrance(call.room.name, str(user_id))]))


async def running(call: AskedCall) -> UUID:
    """bob has agreed, the recorder writes, and the stream is live."""
    await call.arrive(BOB)
    stream_id = await show(call)
    await agree(call, BOB)
    await call.turn()
    assert len(call.on.recorder.egresses) == 1
    await call.on.database.execute("UPDATE nchat_call_recordings SET status = 'recording'")
    await call.on.database.execute("UPDATE nchat_streams SET status = 'live'")
    return stream_id


async def test_it_begins_when_all_have_agreed(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, consent="ask")
    await call.arrive(BOB, CAROL)
    await show(call)
    await call.turn()
    assert (await told(call), on.recorder.egresses) == (["stream_started", "recording_consent_asked"], {})
    (asked,) = [one for one in await on.events(call.id) if one.kind == "recording_consent_asked"]
    assert asked.actor_id == str(ALICE) and asked.payload["until"] > on.clock.now().isoformat()
    await agree(call, BOB)
    await call.turn()
    assert on.recorder.egresses == {}
    await agree(call, CAROL)
    await call.turn()
    assert len(on.recorder.egresses) == 1


async def test_who_does_not_agree_is_out_before_it_begins(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, consent="ask")
    await call.arrive(BOB, CAROL)
    await show(call)
    await agree(call, BOB)
    await call.pass_time(29)
    assert (await call.state(CAROL), on.recorder.egresses) == (("connected", None), {})
    await call.pass_time(1)
    assert await call.state(CAROL) == ("left", "consent_refused")
    assert set(on.rooms.people[call.room.name]) == {str(ALICE), str(BOB)}
    assert len(on.recorder.egresses) == 1


async def test_nobody_is_shown_whose_arrival_was_not_heard(on: Setup) -> None:
    """carol has a token and is in LiveKit's room; our rows still say `connecting`."""
    call = await begin(on, BOB, CAROL, consent="ask")
    await call.arrive(BOB)
    await accept_call(on.world, session(CAROL), call.id)
    on.rooms.join(call.room.name, str(CAROL), "camera")
    await show(call)
    await agree(call, BOB)
    await call.turn()
    assert on.recorder.egresses == {}
    await call.pass_time(30)
    assert await call.state(CAROL) == ("left", "consent_refused")
    assert str(CAROL) not in on.rooms.people[call.room.name]
    assert len(on.recorder.egresses) == 1


async def test_who_is_on_the_way_and_who_comes_later_agree_first(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, consent="ask")
    await accept_call(on.world, session(CAROL), call.id)
    await running(call)
    assert not await may_enter(call, CAROL)
    with pytest.raises(ConsentNeeded):
        await refresh_call_token(on.world, session(CAROL), call.id)
    tokens = on.tokens.count
    with pytest.raises(ConsentNeeded):
        await join_call(on.world, session(DAVE), call.id)
    assert on.tokens.count == tokens
    await agree(call, CAROL, DAVE)
    assert await may_enter(call, CAROL)
    assert (await join_call(on.world, session(DAVE), call.id)).ticket is not None


async def test_who_gets_in_without_the_door_is_out_at_once(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, consent="ask")
    await accept_call(on.world, session(CAROL), call.id)
    await running(call)
    await call.room.join(CAROL, "camera")
    await call.turn()
    assert await call.state(CAROL) == ("left", "consent_refused")
    assert str(CAROL) not in on.rooms.people[call.room.name]
    assert (await call.state(ALICE), await call.state(BOB)) == (("connected", None), ("connected", None))


async def test_one_that_is_stopped_while_people_are_asked(on: Setup) -> None:
    call = await begin(on, BOB, consent="ask")
    await call.arrive(BOB)
    await stop_stream(on.world, session(ALICE), await show(call))
    await call.pass_time(31)
    assert (await call.state(BOB), on.recorder.egresses) == (("connected", None), {})


async def test_a_silent_livekit_shows_nothing(on: Setup) -> None:
    call = await begin(on, BOB, consent="ask")
    await call.arrive(BOB)
    await show(call)
    await agree(call, BOB)
    on.rooms.broken.add("list_participants")
    await call.turn()
    await call.pass_time(150)
    await call.turn()
    assert (on.recorder.egresses, (await told(call))[-1]) == ({}, "stream_ended")
    assert await on.database.fetchval("SELECT status::text FROM nchat_streams") == "cancelled"


async def test_with_notify_nobody_is_asked(on: Setup) -> None:
    call = await begin(on, BOB)
    await call.arrive(BOB)
    await show(call)
    await call.turn()
    assert (await told(call), len(on.recorder.egresses)) == (["stream_started"], 1)
