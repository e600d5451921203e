"""callAttendance as clients ask it, of a call in which people come, are lost, come back, are removed and leave."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.calls.actions.end import end_call
from domain.calls.actions.kick import kick_participant
from permissions.session import Session
from tests.calls.call_states import participant_id
from tests.life_cycle.running_call import Running
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, MOD, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

ATTENDANCE = """query ($call: uuid!) {
  callAttendance(input: {callId: $call}) { userId user { id username } firstJoinedAt lastLeftAt seconds }
}"""
BEGAN = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
STEP = timedelta(seconds=10)


async def spread(on: Setup) -> None:
    """Each event ten seconds after the one before: the clock that stamps them is PostgreSQL's."""
    await on.database.execute("UPDATE nchat_call_events SET created_at = $1::timestamptz + seq * $2::interval", BEGAN, STEP)


async def seqs(running: Running, user_id: Any, *kinds: str) -> list[int]:
    """When a person's events of these kinds came."""
    about = str(await participant_id(running.on, running.id, user_id))
    events = await running.on.events(running.id)
    return [event.seq for event in events if event.kind in kinds and event.payload.get("participantId") == about]


async def test_who_was_there_and_for_how_long(group: Running, client: Api) -> None:
    on = group.on
    await group.room.leave(BOB, "connection_timeout")
    await group.room.join(BOB)
    await kick_participant(on.world, session(ALICE), group.id, await participant_id(on, group.id, CAROL), None)
    await group.room.leave(BOB)
    await end_call(on.world, session(ALICE), group.id)
    await spread(on)
    came = "call_participant_joined"
    (alice,), (carol, removed) = await seqs(group, ALICE, came), await seqs(group, CAROL, came, "kicked")
    first, lost, again, left = await seqs(group, BOB, came, "call_participant_disconnected", "call_participant_left")
    end = next(event.seq for event in await on.events(group.id) if event.kind == "call_end")
    told = (await client.data(session(DAVE), ATTENDANCE, {"call": str(group.id)}))["callAttendance"]
    assert [
        (
            one["user"]["username"],
            (datetime.fromisoformat(one["firstJoinedAt"]) - BEGAN) / STEP,
            (datetime.fromisoformat(one["lastLeftAt"]) - BEGAN) / STEP,
            one["seconds"],
        )
        for one in told
    ] == [
        ("alice", alice, end, 10 * (end - alice)),
        ("bob", first, left, 10 * (lost - first + left - again)),
        ("carol", carol, removed, 10 * (removed - carol)),
    ]
    assert [one["userId"] for one in told] == [one["user"]["id"] for one in told]


async def test_who_sees_the_call_may_ask_in_it_or_not(group: Running, client: Api) -> None:
    on = group.on
    await kick_participant(on.world, session(ALICE), group.id, await participant_id(on, group.id, CAROL), None)
    asked, before = {"call": str(group.id)}, await dump(on.database)
    # In it, removed from it, of its channel, and everybody's admin.
    for who in (session(ALICE), session(CAROL), session(DAVE), Session("admin")):
        told = (await client.data(who, ATTENDANCE, asked))["callAttendance"]
        assert [(one["user"]["username"], one["lastLeftAt"] is None) for one in told] == [("alice", True), ("bob", True), ("carol", False)]
    for stranger in (session(MALLORY), session(MOD, "moderator"), Session("anonymous")):
        refused = await client.refusal(stranger, ATTENDANCE, asked)
        assert refused == await client.refusal(stranger, ATTENDANCE, {"call": str(uuid4())})
        assert refused[0] == ("validation-failed" if stranger.role == "anonymous" else "not-found")
    assert await dump(on.database) == before


async def test_a_call_that_nobody_entered(ringing: Running, client: Api) -> None:
    assert (await client.data(session(BOB), ATTENDANCE, {"call": str(ringing.id)}))["callAttendance"] == []
