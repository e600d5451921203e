"""Destinations as a client meets them: the host sees and changes them, and nobody sees a key again."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from permissions.session import Session
from tests.streams.destinations.sent_stream import KEY, URL, live_stream, look, new_stream, turn
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, MALLORY, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
ADMIN = Session("admin", {"x-hasura-role": "admin"})
ROW = "id stream_id platform rtmp_url enabled status error_message created_at"
ADD = f"""mutation ($stream: uuid!, $url: String!, $key: String!) {{
  addStreamDestination(input: {{streamId: $stream, platform: "youtube", rtmpUrl: $url, streamKey: $key}}) {{
    streamId destinationId stream {{ id }} destination {{ {ROW} }}
  }}
}}"""
UPDATE = f"""mutation ($id: uuid!, $url: String, $key: String, $enabled: Boolean) {{
  updateStreamDestination(input: {{destinationId: $id, rtmpUrl: $url, streamKey: $key, enabled: $enabled}}) {{ destination {{ {ROW} }} }}
}}"""
REMOVE = "mutation ($id: uuid!) { removeStreamDestination(input: {destinationId: $id}) { streamId destinationId stream { id } } }"
LOOK = f"{{ nchat_stream_destinations {{ {ROW} }} }}"


async def add(client: Api, stream_id: UUID) -> dict[str, Any]:
    given = {"stream": str(stream_id), "url": URL, "key": KEY}
    found: dict[str, Any] = (await client.data(session(ALICE), ADD, given))["addStreamDestination"]
    return found


async def test_the_whole_way(client: Api) -> None:
    on = client.on
    stream_id, egress = await live_stream(on)
    added = await add(client, stream_id)
    destination_id, row = added["destinationId"], added["destination"]
    assert (added["streamId"], added["stream"]) == (str(stream_id), {"id": str(stream_id)})
    assert (row["id"], row["platform"], row["rtmp_url"], row["status"]) == (destination_id, "youtube", URL, "pending")
    await turn(on)
    await look(on, 15)
    (row,) = (await client.data(session(ALICE), LOOK))["nchat_stream_destinations"]
    assert (row["status"], row["error_message"]) == ("connected", None)
    changed = await client.data(session(ALICE), UPDATE, {"id": destination_id, "enabled": False})
    assert changed["updateStreamDestination"]["destination"]["status"] == "disconnected"
    await turn(on)
    assert on.recorder.sent_to(egress) == []
    removed = await client.data(session(ALICE), REMOVE, {"id": destination_id})
    assert removed["removeStreamDestination"] == {
        "streamId": str(stream_id),
        "destinationId": destination_id,
        "stream": {"id": str(stream_id)},
    }
    assert (await client.data(session(ALICE), LOOK))["nchat_stream_destinations"] == []


async def test_others_see_and_change_nothing(client: Api) -> None:
    on = client.on
    stream_id = await new_stream(on)
    destination_id = (await add(client, stream_id))["destinationId"]
    before = await dump(on.database)
    for who, of_add in ((BOB, "not-allowed"), (MALLORY, "not-found")):
        given = {"stream": str(stream_id), "url": URL, "key": KEY}
        assert (await client.refusal(session(who), ADD, given))[0] == of_add
        assert (await client.refusal(session(who), UPDATE, {"id": destination_id, "enabled": False}))[0] == "not-found"
        assert (await client.refusal(session(who), REMOVE, {"id": destination_id}))[0] == "not-found"
        assert (await client.data(session(who), LOOK))["nchat_stream_destinations"] == []
    anonymous = Session("anonymous", {"x-hasura-role": "anonymous"})
    for query, given in ((ADD, {"stream": str(stream_id), "url": URL, "key": KEY}), (REMOVE, {"id": destination_id}), (LOOK, {})):
        assert (await client.refusal(anonymous, query, given))[0] == "validation-failed"
    assert await dump(on.database) == before


async def test_a_key_comes_out_nowhere(client: Api) -> None:
    """Not in an answer, an error, or any table that somebody may read."""
    on = client.on
    stream_id, _ = await live_stream(on)
    destination_id = (await add(client, stream_id))["destinationId"]
    await turn(on)
    given = {"id": destination_id, "url": "rtmp://10.0.0.1/app", "key": f"{KEY}-2"}
    bodies = [
        await client.raw(session(ALICE), ADD, {"stream": str(stream_id), "url": URL, "key": KEY}),
        await client.raw(session(ALICE), UPDATE, given),
        await client.raw(session(ALICE), UPDATE, {"id": destination_id, "key": f"{KEY} with spaces"}),
        await client.raw(session(ALICE), ADD, {"stream": str(uuid4()), "url": URL, "key": KEY}),
        await client.raw(session(ALICE), LOOK),
        await client.raw(ADMIN, "{ nchat_webhook_events { payload } nchat_streams { metadata } nchat_call_recordings { metadata } }"),
    ]
    assert not any(secret in body.decode() for body in bodies for secret in (KEY, KEY[-8:]))
    for query in ("{ nchat_stream_destinations { stream_key_encrypted } }", "{ nchat_stream_outputs { id } }"):
        assert (await client.refusal(session(ALICE), query))[0] == "validation-failed"
    assert (await client.refusal(ADMIN, "{ nchat_stream_outputs { id } }"))[0] == "validation-failed"
