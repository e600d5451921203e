"""What hosts do to others: mute, remove, readmit, invite."""

from uuid import UUID

import pytest

from domain.calls.actions.invite import invite_to_call
from domain.calls.actions.join import join_call
from domain.calls.actions.kick import kick_participant, readmit_participant
from domain.calls.actions.leave import leave_call
from domain.calls.actions.mute import mute_participant, set_muted
from domain.errors import ActionError, CallFull, CallNotStarted, InvalidInput, MediaUnavailable, NotAllowed, NotFound, ParticipantKicked
from tests.calls.call_states import answered, group, open_channel_call, participant_id, ringing
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


async def test_ones_own_microphone(on: Setup) -> None:
    call_id = await answered(on)
    on.rooms.asked.clear()
    for muted in (True, True, False):
        await set_muted(on.world, session(BOB), call_id, "audio", muted)
    told = [event.payload for event in await on.events(call_id) if event.kind == "call_mute_changed"]
    me = str(await participant_id(on, call_id, BOB))
    assert told == [{"trackType": "audio", "muted": muted, "participantId": me} for muted in (True, False)]
    assert on.rooms.asked == {}


async def test_ones_own_camera_and_screen(on: Setup) -> None:
    call_id = await answered(on)
    await set_muted(on.world, session(BOB), call_id, "video", False)
    row = await on.participant(call_id, BOB)
    assert row["is_video_enabled"]
    await set_muted(on.world, session(BOB), call_id, "screen", True)
    assert await on.participant(call_id, BOB) == row
    assert (await on.kinds(call_id))[5:] == ["call_video_changed", "call_mute_changed"]


async def test_a_host_mutes_the_published_track(on: Setup) -> None:
    call_id = await answered(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB), "microphone", "camera")
    await mute_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, BOB), "audio")
    assert [track.muted for track in on.rooms.people[room][str(BOB)].tracks] == [True, False]
    assert (await on.participant(call_id, BOB))["is_muted"]
    assert (await on.events(call_id))[-1].actor_id == str(ALICE)


@pytest.mark.parametrize("method", ["list_participants", "mute_track"])
async def test_a_mute_that_livekit_did_not_take_is_not_written(on: Setup, method: str) -> None:
    call_id = await answered(on)
    on.rooms.join((await on.call(call_id))["room_name"], str(BOB), "microphone")
    on.rooms.broken.add(method)
    before = await dump(on.database)
    with pytest.raises(MediaUnavailable):
        await mute_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, BOB), "audio")
    assert await dump(on.database) == before


async def test_a_removed_participant_is_out_and_stays_out(on: Setup) -> None:
    call_id = await group(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB))
    other = await participant_id(on, call_id, BOB)
    kicked = await kick_participant(on.world, session(ALICE), call_id, other, "noise")
    assert not kicked.call_ended
    row = await on.participant(call_id, BOB)
    assert (row["status"], row["leave_reason"]) == ("kicked", "noise")
    assert on.rooms.people[room] == {}
    assert (await on.events(call_id))[-1].payload == {"reason": "noise", "participantId": str(other)}
    before = await dump(on.database)
    with pytest.raises(ParticipantKicked):
        await join_call(on.world, session(BOB), call_id)
    await kick_participant(on.world, session(ALICE), call_id, other)
    assert await dump(on.database) == before


async def test_a_direct_call_ends_with_the_kick(on: Setup) -> None:
    call_id = await answered(on)
    kicked = await kick_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, BOB))
    assert kicked.call_ended
    assert (await on.call(call_id))["end_reason"] == "kicked"
    assert (await on.participant(call_id, BOB))["status"] == "kicked"
    assert on.rooms.rooms == {}
    assert_valid_history(await on.events(call_id))


async def test_kicking_who_still_rings(on: Setup) -> None:
    call_id = await ringing(on, BOB, CAROL)
    assert not (await kick_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, BOB))).call_ended
    assert ("cancel", BOB) in await on.pushes()
    assert (await kick_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, CAROL))).call_ended
    assert_valid_history(await on.events(call_id))


async def test_readmitted_people_may_join_again(on: Setup) -> None:
    call_id = await group(on)
    other = await participant_id(on, call_id, BOB)
    await kick_participant(on.world, session(ALICE), call_id, other)
    await readmit_participant(on.world, session(ALICE), call_id, other)
    row = await on.participant(call_id, BOB)
    assert (row["status"], row["leave_reason"], row["left_at"]) == ("invited", None, None)
    await join_call(on.world, session(BOB), call_id)
    assert (await on.kinds(call_id))[-3:] == ["kicked", "readmitted", "call_accept"]


async def test_inviting_rings_newcomers_and_those_who_left(on: Setup) -> None:
    call_id = await group(on)
    await leave_call(on.world, session(CAROL), call_id)
    invited = await invite_to_call(on.world, session(ALICE), call_id, [DAVE, CAROL, BOB, DAVE])
    assert set(invited.participant_ids) == {await participant_id(on, call_id, user) for user in (CAROL, DAVE)}
    assert (await on.kinds(call_id))[-2:] == ["call_incoming", "call_incoming"]
    assert (await on.pushes()).count(("ring", CAROL)) == 2
    assert (await on.pushes()).count(("ring", BOB)) == 1


async def test_a_direct_call_with_a_third_is_none_any_more(on: Setup) -> None:
    call_id = await answered(on)
    await invite_to_call(on.world, session(ALICE), call_id, [CAROL])
    await join_call(on.world, session(CAROL), call_id)
    assert not (await leave_call(on.world, session(BOB), call_id)).call_ended


async def test_what_an_invitation_refuses(on: Setup) -> None:
    call_id = await group(on)
    await kick_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, CAROL))
    refused: list[tuple[int, list[UUID], type[ActionError]]] = [
        (2, [], InvalidInput),
        (2, [ALICE], InvalidInput),
        (2, [DAVE], CallFull),
        (9, [CAROL], InvalidInput),
        (9, [MALLORY], NotFound),
    ]
    for limit, targets, refusal in refused:
        await on.database.execute("UPDATE nchat_calls SET max_participants = $1", limit)
        before = await dump(on.database)
        with pytest.raises(refusal):
            await invite_to_call(on.world, session(ALICE), call_id, targets)
        assert await dump(on.database) == before


async def test_a_call_that_has_not_begun_invites_nobody(on: Setup) -> None:
    call_id = await open_channel_call(on)
    await on.database.execute("UPDATE nchat_calls SET status = 'initiated'")
    before = await dump(on.database)
    with pytest.raises(CallNotStarted):
        await invite_to_call(on.world, session(ALICE), call_id, [BOB])
    assert await dump(on.database) == before


async def test_only_hosts_control_others(on: Setup) -> None:
    call_id = await group(on)
    carol = await participant_id(on, call_id, CAROL)
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await mute_participant(on.world, session(BOB), call_id, carol, "audio")
    with pytest.raises(NotAllowed):
        await kick_participant(on.world, session(BOB), call_id, carol)
    with pytest.raises(NotAllowed):
        await readmit_participant(on.world, session(BOB), call_id, carol)
    with pytest.raises(NotAllowed):
        await invite_to_call(on.world, session(BOB), call_id, [DAVE])
    assert await dump(on.database) == before


async def test_what_a_host_may_not_do(on: Setup) -> None:
    call_id, elsewhere = await group(on), await ringing(on, DAVE, by=CAROL)
    bob, stranger = await participant_id(on, call_id, BOB), await participant_id(on, elsewhere, DAVE)
    await on.database.execute("UPDATE nchat_call_participants SET role = 'co_host' WHERE id = $1", bob)
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await kick_participant(on.world, session(BOB), call_id, await participant_id(on, call_id, ALICE))
    with pytest.raises(NotFound):
        await kick_participant(on.world, session(ALICE), call_id, stranger)
    with pytest.raises(NotFound):
        await mute_participant(on.world, session(ALICE), call_id, stranger, "audio")
    with pytest.raises(InvalidInput):
        await mute_participant(on.world, session(CAROL), elsewhere, stranger, "audio")
    with pytest.raises(InvalidInput):
        await readmit_participant(on.world, session(ALICE), call_id, bob)
    with pytest.raises(InvalidInput):
        await kick_participant(on.world, session(ALICE), call_id, bob, "x" * 101)
    with pytest.raises(InvalidInput):
        await kick_participant(on.world, session(ALICE), call_id, bob, "a\0b")
    assert await dump(on.database) == before
