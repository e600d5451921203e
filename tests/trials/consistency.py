"""Whether database and LiveKit say the same of some calls: each difference in words."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import orjson
from livekit import api

from tests.support.call_history import Event, assert_valid_history
from tests.trials.trial_call import TrialCall

SCREEN = api.TrackSource.SCREEN_SHARE
SEATED = ("connecting", "connected", "disconnected")


async def differences(trial: TrialCall) -> list[str]:
    """Empty when all is well."""
    found = [f"{await trial.unheard()} webhooks wait"] if await trial.unheard() else []
    for call in await trial.calls():
        found += [difference async for difference in _of_call(trial, call)]
    return found


async def _of_call(trial: TrialCall, call: "asyncpg.Record") -> AsyncIterator[str]:
    try:
        assert_valid_history(await history(trial, call["id"]))
    except AssertionError as error:
        yield f"history: {error}"
    room = trial.simulator.rooms.live.get(call["room_name"])
    if call["status"] == "ended":
        if room is not None:
            yield "the call has ended and its room is there"
    elif call["status"] == "initiated":
        begun = await trial.database.fetchval("SELECT EXISTS (SELECT FROM nchat_call_participants WHERE call_id = $1)", call["id"])
        if begun or call["scheduled_at"] is None:
            yield "the call never rang"
    elif room is None or room.message.sid != call["room_sid"]:
        yield "the call has no room"
    else:
        async for difference in _of_people(trial, call["id"], {one.identity: one.message for one in room.participants.values()}):
            yield difference


async def _of_people(trial: TrialCall, call_id: UUID, inside: dict[str, api.ParticipantInfo]) -> AsyncIterator[str]:
    rows = await trial.database.fetch("SELECT * FROM nchat_call_participants WHERE call_id = $1", call_id)
    seats = {str(row["user_id"]): row for row in rows}
    for identity, seen in inside.items():
        row = seats.get(identity)
        if row is None or row["status"] not in SEATED:
            yield f"a participant who is {row and row['status']} is in the room"
            continue
        if row["status"] != "connected" or row["participant_sid"] != seen.sid:
            yield f"who is in the room is {row['status']} by another connection"
        muted = [track.muted for track in seen.tracks if track.source == api.TrackSource.MICROPHONE]
        if muted and muted != [row["is_muted"]]:
            yield f"the microphone's mute is {muted} and the row's is {row['is_muted']}"
        if seen.permission.can_publish != (row["role"] != "viewer"):
            yield "the right to publish is not the role's"
        if (SCREEN in seen.permission.can_publish_sources) != (row["screen_share_asked_at"] is not None or row["is_screen_sharing"]):
            yield "the right to share a screen is not the row's"
    for identity in (identity for identity, row in seats.items() if row["status"] == "connected" and identity not in inside):
        yield f"{identity} is connected and not in the room"


async def history(trial: TrialCall, call_id: UUID) -> list[Event]:
    rows = await trial.database.fetch(
        "SELECT seq, kind, actor_id::text, payload::text FROM nchat_call_events WHERE call_id = $1 ORDER BY seq", call_id
    )
    return [Event(row["seq"], row["kind"], row["actor_id"], orjson.loads(row["payload"])) for row in rows]
