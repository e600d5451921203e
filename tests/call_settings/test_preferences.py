"""setCallPreferences: one's own settings, and what a ring meets that they forbid."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.call_settings.preferences import set_call_preferences
from domain.calls.actions.answer import accept_call, decline_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.invite import invite_to_call
from domain.errors import NotRinging
from domain.reconciler import reconcile
from permissions.session import Session
from tests.calls.call_states import group, ringing
from tests.support.actions import Api
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
SET = "mutation ($input: SetCallPreferencesInput!) { setCallPreferences(input: $input) { userId callSettings { dnd_until ring_from } } }"
OWN = "{ nchat_user_call_settings { user_id dnd_until ring_from } }"


async def settle(client: Api, who: UUID, **given: object) -> dict[str, object]:
    answer = (await client.data(session(who), SET, {"input": given}))["setCallPreferences"]
    assert answer["userId"] == str(who)
    settings: dict[str, object] = answer["callSettings"]
    return settings


async def standing(on: Setup, call_id: UUID, user_id: UUID) -> tuple[str, str | None]:
    row = await on.participant(call_id, user_id)
    return row["status"], row["leave_reason"]


async def test_what_is_left_out_stays_and_null_ends_a_rest(client: Api) -> None:
    assert await settle(client, BOB) == {"dnd_until": None, "ring_from": "anyone"}
    assert await settle(client, BOB, ringFrom="nobody") == {"dnd_until": None, "ring_from": "nobody"}
    rests = {"dnd_until": "2030-01-01T10:00:00+00:00", "ring_from": "nobody"}
    assert await settle(client, BOB, dndUntil="2030-01-01T12:00:00+02:00") == rests
    assert await settle(client, BOB) == rests
    assert await settle(client, BOB, ringFrom="channel_members") == rests | {"ring_from": "channel_members"}
    assert await settle(client, BOB, dndUntil=None) == {"dnd_until": None, "ring_from": "channel_members"}


async def test_nobody_reads_anothers(client: Api) -> None:
    await settle(client, BOB, ringFrom="nobody")
    assert (await client.data(session(BOB), OWN))["nchat_user_call_settings"][0]["user_id"] == str(BOB)
    for who in (session(ALICE), session(MALLORY), session(ALICE, "moderator")):
        assert await client.data(who, OWN) == {"nchat_user_call_settings": []}


@pytest.mark.parametrize("when", ["tomorrow", "", "infinity", "9999-12-31T23:59:59-14:00", 7])
async def test_a_time_that_is_none(client: Api, when: object) -> None:
    before = await dump(client.on.database)
    code, path, _ = await client.refusal(session(BOB), SET, {"input": {"dndUntil": when}})
    assert (code, path) == ("invalid-input", "$.selectionSet.setCallPreferences")
    assert await dump(client.on.database) == before


async def test_strangers_and_unknown_people_settle_nothing(client: Api) -> None:
    before = await dump(client.on.database)
    assert (await client.refusal(Session("anonymous"), SET, {"input": {}}))[0] == "validation-failed"
    assert (await client.refusal(session(uuid4()), SET, {"input": {"ringFrom": "nobody"}}))[0] == "invalid-input"
    assert await dump(client.on.database) == before


async def test_two_at_once_leave_one_row(client: Api) -> None:
    await asyncio.gather(*(settle(client, BOB, ringFrom=word) for word in ("nobody", "anyone") * 3))
    assert await client.on.database.fetchval("SELECT count(*) FROM nchat_user_call_settings") == 1


@pytest.mark.parametrize("wish", ["rest", "nobody"])
async def test_a_call_to_one_who_may_not_be_rung_ends_at_once(on: Setup, wish: str) -> None:
    until = on.clock.now() + timedelta(hours=1)
    if wish == "rest":
        await set_call_preferences(on.world, session(BOB), until)
    else:
        await set_call_preferences(on.world, session(BOB), ring_from="nobody")
    on.publisher.topics()
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    call = await on.call(started.call_id)
    assert started.ticket is None
    assert (call["status"], call["end_reason"]) == ("ended", "no_answer")
    assert await standing(on, call["id"], BOB) == ("left", "missed")
    assert await on.kinds(call["id"]) == ["call_initiate", "call_participant_left", "call_state_changed", "call_end"]
    assert_valid_history(await on.events(call["id"]))
    assert await on.pushes() == []
    assert f"user:{BOB}" not in on.publisher.topics()
    assert on.rooms.asked == {}
    on.clock.advance(3600)
    expected = ("ringing", None) if wish == "rest" else ("left", "missed")
    assert await standing(on, await ringing(on), BOB) == expected


async def test_whether_one_who_rests_is_busy_is_not_told(on: Setup) -> None:
    await initiate_call(on.world, session(BOB), CallRequest("audio", [CAROL]))
    await set_call_preferences(on.world, session(BOB), ring_from="nobody")
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    assert (await on.call(started.call_id))["end_reason"] == "no_answer"


async def test_among_others_only_those_are_rung_who_may_be(on: Setup) -> None:
    await set_call_preferences(on.world, session(BOB), ring_from="nobody")
    call_id = await ringing(on, BOB, CAROL)
    assert await standing(on, call_id, BOB) == ("left", "missed")
    assert await standing(on, call_id, CAROL) == ("ringing", None)
    assert await on.pushes() == [("ring", CAROL)]
    assert_valid_history(await on.events(call_id))
    with pytest.raises(NotRinging):
        await accept_call(on.world, session(BOB), call_id)
    await decline_call(on.world, session(CAROL), call_id)
    assert (await on.call(call_id))["end_reason"] == "no_answer"
    assert await on.pushes() == [("ring", CAROL), ("cancel", CAROL)]


async def test_when_none_of_several_may_be_rung_the_call_ends_and_its_room_goes(on: Setup) -> None:
    for who in (BOB, CAROL):
        await set_call_preferences(on.world, session(who), ring_from="nobody")
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB, CAROL], channel_id=GENERAL))
    call = await on.call(started.call_id)
    assert started.ticket is None
    assert (call["status"], call["end_reason"]) == ("ended", "no_answer")
    assert call["room_closed_at"] is not None
    assert call["room_name"] not in on.rooms.rooms
    assert await on.pushes() == []
    assert_valid_history(await on.events(call["id"]))


async def test_channel_members_are_those_of_a_channel_of_both(on: Setup) -> None:
    """mallory, who shares no channel with carol, is in the call and may ask her in: carol is in the call's own channel."""
    await set_call_preferences(on.world, session(BOB), ring_from="channel_members")
    await set_call_preferences(on.world, session(CAROL), ring_from="channel_members")
    call_id = await ringing(on)
    assert await standing(on, call_id, BOB) == ("ringing", None)
    await on.database.execute("INSERT INTO nchat_channels (id, name) VALUES ($1, 'other')", MALLORY)
    await on.database.executemany(
        "INSERT INTO nchat_channel_members (channel_id, user_id) VALUES ($1, $2)", [(MALLORY, MALLORY), (MALLORY, DAVE)]
    )
    started = await initiate_call(on.world, session(DAVE), CallRequest("audio", [MALLORY], channel_id=GENERAL))
    await accept_call(on.world, session(MALLORY), started.call_id)
    await on.database.execute("UPDATE nchat_call_participants SET role = 'co_host' WHERE user_id = $1", MALLORY)
    await invite_to_call(on.world, session(MALLORY), started.call_id, [CAROL])
    assert await standing(on, started.call_id, CAROL) == ("left", "missed")
    await invite_to_call(on.world, session(DAVE), started.call_id, [CAROL])
    assert await standing(on, started.call_id, CAROL) == ("ringing", None)


async def test_who_is_invited_to_a_call_that_runs_is_missed_too(on: Setup) -> None:
    call_id = await group(on)
    await set_call_preferences(on.world, session(DAVE), ring_from="nobody")
    before = await on.pushes()
    invited = await invite_to_call(on.world, session(ALICE), call_id, [DAVE])
    assert invited.participant_ids == ()
    assert await standing(on, call_id, DAVE) == ("left", "missed")
    assert await on.pushes() == before
    assert (await on.call(call_id))["status"] == "connecting"
    # Asked again, it is as before.
    assert (await invite_to_call(on.world, session(ALICE), call_id, [DAVE])).participant_ids == ()


async def test_after_a_crash_the_reconciler_rings_nobody_who_rests_now(on: Setup) -> None:
    call_id = await ringing(on)
    await on.database.execute("UPDATE nchat_calls SET status = 'initiated', started_at = NULL, status_since = now() - interval '1 hour'")
    await on.database.execute("UPDATE nchat_call_participants SET status = 'invited' WHERE user_id = $1", BOB)
    await on.database.execute("DELETE FROM nchat_call_events WHERE kind <> 'call_initiate'")
    await on.database.execute("DELETE FROM nchat_push_outbox")
    await set_call_preferences(on.world, session(BOB), ring_from="nobody")
    await reconcile(on.world)
    assert (await on.call(call_id))["end_reason"] == "no_answer"
    assert await standing(on, call_id, BOB) == ("left", "missed")
    assert await on.pushes() == []
