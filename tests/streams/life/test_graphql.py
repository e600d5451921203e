"""The actions as a client meets them: through the engine, with the caller's own view of the rows."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.recordings.recorded_call import begin_call
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, GENERAL, MALLORY, MOD, session

pytestmark = pytest.mark.anyio
CREATE = """mutation ($input: CreateStreamInput!) {
  createStream(input: $input) { streamId stream { id status title visibility chat_enabled reactions_enabled record_stream scheduled_at } }
}"""
START = """mutation ($input: StartStreamInput!) {
  startStream(input: $input) { streamId roomName hostToken serverUrl expiresAt stream { status room_name } }
}"""
STOP = """mutation ($id: uuid!) {
  stopStream(input: {streamId: $id}) { streamId duration peakViewers totalViews recordingUrl stream { status } }
}"""
CANCEL = "mutation ($id: uuid!) { cancelStream(input: {streamId: $id}) { streamId stream { status } } }"
REFRESH = "mutation ($id: uuid!) { refreshStreamToken(input: {streamId: $id}) { token serverUrl expiresAt } }"


async def created(client: Api, **more: object) -> str:
    given = {"channelId": str(GENERAL), "title": "Friday", **more}
    stream_id: str = (await client.data(session(ALICE), CREATE, {"input": given}))["createStream"]["streamId"]
    return stream_id


async def test_planned_as_it_was_wished(client: Api) -> None:
    at = (client.on.clock.now() + timedelta(hours=1)).isoformat()
    given = {"channelId": str(GENERAL), "title": " Friday ", "visibility": "invite_only", "enableChat": False, "scheduledAt": at}
    stream = (await client.data(session(ALICE), CREATE, {"input": given | {"recordStream": True}}))["createStream"]["stream"]
    assert {name: stream[name] for name in ("status", "title", "visibility", "chat_enabled", "reactions_enabled", "record_stream")} == {
        "status": "scheduled",
        "title": "Friday",
        "visibility": "invite_only",
        "chat_enabled": False,
        "reactions_enabled": True,
        "record_stream": True,
    }
    assert stream["scheduled_at"] is not None


async def test_from_start_to_end(client: Api) -> None:
    stream_id = await created(client)
    started = (await client.data(session(ALICE), START, {"input": {"streamId": stream_id}}))["startStream"]
    assert started["hostToken"].startswith(started["roomName"]) and started["serverUrl"] == "ws://livekit.example"
    assert started["stream"] == {"status": "starting", "room_name": started["roomName"]}
    assert started["expiresAt"].endswith("+00:00")
    fresh = (await client.data(session(ALICE), REFRESH, {"id": stream_id}))["refreshStreamToken"]
    assert fresh["token"] != started["hostToken"]
    stopped = (await client.data(session(ALICE), STOP, {"id": stream_id}))["stopStream"]
    assert stopped == {
        "streamId": stream_id,
        "duration": 0,
        "peakViewers": 0,
        "totalViews": 0,
        "recordingUrl": None,
        "stream": {"status": "cancelled"},
    }


async def test_called_off(client: Api) -> None:
    stream_id = await created(client)
    assert (await client.data(session(ALICE), CANCEL, {"id": stream_id}))["cancelStream"]["stream"] == {"status": "cancelled"}


async def test_a_new_one_and_a_call_are_started(client: Api) -> None:
    given = {"channelId": str(GENERAL), "title": "Friday", "clientRequestId": str(uuid4())}
    first = (await client.data(session(ALICE), START, {"input": given}))["startStream"]
    assert (await client.data(session(ALICE), START, {"input": given}))["startStream"]["streamId"] == first["streamId"]
    call = await begin_call(client.on)
    shown = (await client.data(session(ALICE), START, {"input": {"callId": str(call.id), "visibility": "public"}}))["startStream"]
    assert (shown["roomName"], shown["hostToken"], shown["serverUrl"]) == (call.room_name, None, None)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"title": "Friday"},
        {"channelId": str(GENERAL)},
        {"streamId": str(uuid4()), "title": "Friday"},
        {"streamId": str(uuid4()), "callId": str(uuid4())},
        {"channelId": str(GENERAL), "title": "Friday", "visibility": "everybody"},
    ],
)
async def test_what_can_not_be_meant(client: Api, given: dict[str, str]) -> None:
    assert (await client.refusal(session(ALICE), START, {"input": given}))[0] == "invalid-input"
    assert await client.on.database.fetchval("SELECT count(*) FROM nchat_streams") == 0


async def test_a_time_that_is_none(client: Api) -> None:
    given = {"channelId": str(GENERAL), "title": "Friday", "scheduledAt": "on Friday"}
    assert (await client.refusal(session(ALICE), CREATE, {"input": given}))[0] == "invalid-input"


async def test_nobody_in_particular_has_no_actions(client: Api) -> None:
    stream_id = await created(client)
    for role, who in (("user", MALLORY), ("user", BOB), ("moderator", MOD)):
        for document in (STOP, CANCEL, REFRESH):
            code, _, _ = await client.refusal(session(who, role), document, {"id": stream_id})
            assert code == ("not-found" if who == MALLORY else "not-allowed")
    assert await client.on.database.fetchval("SELECT status::text FROM nchat_streams") == "scheduled"
