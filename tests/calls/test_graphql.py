"""The call actions as a client meets them: through the engine, with the caller's own view of the rows."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from devstack.golden.actions_metadata import files
from permissions.session import Session
from tests.calls.call_states import answered, group, participant_id, ringing
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, MALLORY, session
from tests.support.dump import dump
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

TICKET = "roomName token serverUrl iceServers { urls username credential } expiresAt"
CALL = "call { id status end_reason call_participants(order_by: {user_id: asc}) { user_id status } }"
# Each action with the least it takes: a call, and where it needs one a participant of it.
ACTIONS = {
    "acceptCall": "",
    "declineCall": "",
    "cancelCall": "",
    "joinCall": "",
    "refreshCallToken": "",
    "leaveCall": "",
    "endCall": "",
    "setMuted": "trackType: audio, muted: true",
    "muteParticipant": "participantId: $other, trackType: audio",
    "kickParticipant": "participantId: $other",
    "readmitParticipant": "participantId: $other",
    "inviteToCall": "userIds: [$other]",
    "muteAll": "except: [$other]",
    "askToUnmute": "participantId: $other",
    "setParticipantRole": 'participantId: $other, role: "co_host"',
    "admitToCall": "participantId: $other",
    "denyFromLobby": "participantId: $other",
    "startScheduledCall": "targetUserIds: [$other]",
    "raiseHand": "",
    "lowerHand": "",
    "reportConnectionQuality": 'quality: "poor", stats: {jitter: 3}',
    "startScreenShare": "",
    "stopScreenShare": "",
}


def document(name: str, selection: str = "callId") -> str:
    declared = ", $other: uuid!" if "$other" in ACTIONS[name] else ""
    return f"mutation ($call: uuid!{declared}) {{ {name}(input: {{callId: $call, {ACTIONS[name]}}}) {{ {selection} }} }}"


def variables(name: str, call_id: UUID, other: UUID) -> dict[str, str]:
    return {"call": str(call_id)} | ({"other": str(other)} if "$other" in ACTIONS[name] else {})


async def test_one_round_trip_starts_a_call_and_reads_it(client: Api) -> None:
    wanted = f"callId participantId participant {{ user_id role }} {TICKET} {CALL}"
    query = f"mutation ($input: InitiateCallInput!) {{ initiateCall(input: $input) {{ {wanted} }} }}"
    started = (await client.data(session(ALICE), query, {"input": {"type": "video", "targetUserIds": [str(BOB)], "metadata": {"a": [1]}}}))[
        "initiateCall"
    ]
    people = [{"user_id": str(ALICE), "status": "connecting"}, {"user_id": str(BOB), "status": "ringing"}]
    assert started["call"] == {"id": started["callId"], "status": "ringing", "end_reason": None, "call_participants": people}
    assert started["participantId"] == str(await participant_id(client.on, UUID(started["callId"]), ALICE))
    assert started["participant"] == {"user_id": str(ALICE), "role": "host"}
    assert started["token"].startswith(started["roomName"])
    assert started["iceServers"][0] == {"urls": ["stun:turn.example:3478"], "username": None, "credential": None}
    assert started["expiresAt"].endswith("+00:00")


async def test_parts_of_the_rows_that_an_action_answers(client: Api) -> None:
    query = """mutation ($input: InitiateCallInput!, $p: String, $like: String!) { initiateCall(input: $input) {
        callId call { part: metadata(path: $p) metadata host: metadata(path: "b['a key']")
            call_participants(where: {metadata: {_cast: {String: {_like: $like}}}}) { metadata(path: $p) } } } }"""
    given = {"type": "video", "targetUserIds": [str(BOB)], "metadata": {"a": [1, {"c": 2}], "b": {"a key": True}}}
    asked = {"input": given, "p": "$.a[1].c", "like": "{}"}
    before = await dump(client.on.database)
    # A path that is none is found before the action has acted.
    code, path, _ = await client.refusal(session(ALICE), query, asked | {"p": "a["})
    assert (code, path) == ("validation-failed", "$.selectionSet.initiateCall.selectionSet.call.selectionSet.metadata.args")
    assert await dump(client.on.database) == before
    call = (await client.data(session(ALICE), query, asked))["initiateCall"]["call"]
    assert call == {"part": 2, "metadata": given["metadata"], "host": True, "call_participants": [{"metadata": None}] * 2}


async def test_accepting_and_joining_answer_with_a_ticket(client: Api) -> None:
    call_id = await ringing(client.on, BOB, CAROL)
    query = (
        f"mutation ($call: uuid!) {{ acceptCall(input: {{callId: $call}}) {{ {TICKET} participant {{ status role }} call {{ status }} }} }}"
    )
    accepted = (await client.data(session(BOB), query, {"call": str(call_id)}))["acceptCall"]
    assert accepted["participant"] == {"status": "connecting", "role": "participant"}
    assert accepted["call"] == {"status": "connecting"}
    query = "mutation ($call: uuid!) { joinCall(input: {callId: $call}) { token participants { user_id } } }"
    joined = (await client.data(session(CAROL), query, {"call": str(call_id)}))["joinCall"]
    assert {row["user_id"] for row in joined["participants"]} == {str(user) for user in (ALICE, BOB, CAROL)}


async def test_a_busy_target_is_an_ended_call_without_a_token(client: Api) -> None:
    await answered(client.on)
    wanted = f"participant {{ user_id }} {TICKET} {CALL}"
    query = f'mutation ($who: uuid!) {{ initiateCall(input: {{type: "audio", targetUserIds: [$who]}}) {{ {wanted} }} }}'
    started = (await client.data(session(CAROL), query, {"who": str(BOB)}))["initiateCall"]
    assert (started["token"], started["call"]["status"], started["call"]["end_reason"]) == (None, "ended", "busy")
    assert (started["iceServers"], started["participant"]) == ([], {"user_id": str(CAROL)})


async def test_every_action_runs(client: Api) -> None:
    """The whole way of a call, through GraphQL alone."""
    on = client.on
    call_id = await ringing(on, BOB, CAROL)
    for who, name, about in [
        (BOB, "acceptCall", BOB),
        (CAROL, "declineCall", CAROL),
        (ALICE, "inviteToCall", None),
        (CAROL, "joinCall", CAROL),
        (BOB, "refreshCallToken", BOB),
        (BOB, "setMuted", BOB),
        (ALICE, "muteParticipant", BOB),
        (ALICE, "muteAll", CAROL),
        (ALICE, "askToUnmute", BOB),
        (ALICE, "setParticipantRole", BOB),
        (BOB, "raiseHand", BOB),
        (BOB, "lowerHand", BOB),
        (BOB, "reportConnectionQuality", BOB),
        (BOB, "startScreenShare", BOB),
        (BOB, "stopScreenShare", BOB),
        (ALICE, "kickParticipant", CAROL),
        (ALICE, "readmitParticipant", CAROL),
        (CAROL, "joinCall", CAROL),
        (CAROL, "leaveCall", CAROL),
        (ALICE, "endCall", None),
    ]:
        other = CAROL if about is None else await participant_id(on, call_id, about)
        done = await client.data(session(who), document(name, "callId call { id }"), variables(name, call_id, other))
        assert done == {name: {"callId": str(call_id), "call": {"id": str(call_id)}}}
    assert (await on.call(call_id))["end_reason"] == "host_ended"
    ring = await ringing(on)
    await client.data(session(ALICE), document("cancelCall"), variables("cancelCall", ring, ALICE))


async def test_what_a_screen_share_answers(client: Api) -> None:
    call_id = await answered(client.on)
    query = "mutation ($c: uuid!) { startScreenShare(input: {callId: $c, shareType: tab, withAudio: true}) { constraints allowedSources } }"
    done = (await client.data(session(BOB), query, {"c": str(call_id)}))["startScreenShare"]
    assert done["constraints"]["video"]["displaySurface"] == "browser"
    assert done["allowedSources"] == ["microphone", "camera", "screen_share", "screen_share_audio"]


@pytest.mark.parametrize("argument", ["", "(input: {})", '(input: {region: "eu"})'])
async def test_ice_servers(client: Api, argument: str) -> None:
    given = (await client.data(session(ALICE), f"{{ iceServers{argument} {{ ttl iceServers {{ urls username }} }} }}"))["iceServers"]
    assert given["ttl"] == 86400
    assert given["iceServers"][1]["username"] == f"1:{ALICE}"


@pytest.mark.parametrize("name", ACTIONS)
async def test_strangers_get_the_same_bytes_for_a_hidden_and_a_made_up_call(client: Api, name: str) -> None:
    call_id = await group(client.on)
    other = await participant_id(client.on, call_id, BOB)
    before = await dump(client.on.database)
    for who in (session(MALLORY), Session("anonymous"), session(ALICE, "guest")):
        bodies = {
            await client.raw(who, document(name, CALL), variables(name, call, p)) for call, p in ((call_id, other), (uuid4(), uuid4()))
        }
        assert len(bodies) == 1
    assert await dump(client.on.database) == before


async def test_errors_name_code_and_field(client: Api) -> None:
    call_id = await ringing(client.on)
    before = await dump(client.on.database)
    call = {"call": str(call_id)}
    refused = await client.refusal(
        session(MALLORY), "mutation ($call: uuid!) { mine: acceptCall(input: {callId: $call}) { callId } }", call
    )
    assert refused == ("not-found", "$.selectionSet.acceptCall", "No such thing, or you may not see it.")
    client.on.limiter.used_up.add("token")
    limited = error_in(orjson.loads(await client.raw(session(BOB), document("acceptCall"), call)), "acceptCall")
    assert (limited["extensions"]["code"], limited["extensions"]["retryAfter"]) == ("rate-limited", 2.5)
    assert await dump(client.on.database) == before


WRONG: dict[str, str] = {
    "a call id that is none": 'mutation { acceptCall(input: {callId: "x"}) { callId } }',
    "a number as a call id": "mutation { acceptCall(input: {callId: 7}) { callId } }",
    "no call id": "mutation { acceptCall(input: {}) { callId } }",
    "a kind of call there is not": 'mutation { initiateCall(input: {type: "hologram", targetUserIds: []}) { callId } }',
    "metadata that is no object": 'mutation { initiateCall(input: {type: "audio", targetUserIds: [], metadata: [1]}) { callId } }',
    "a reason that no host gives": f'mutation {{ endCall(input: {{callId: "{GENERAL}", reason: "timeout"}}) {{ callId }} }}',
    "a reason that no callee gives": f'mutation {{ declineCall(input: {{callId: "{GENERAL}", reason: "failed"}}) {{ callId }} }}',
    "a role there is not": (
        f'mutation {{ setParticipantRole(input: {{callId: "{GENERAL}", participantId: "{BOB}", role: "king"}}) {{ callId }} }}'
    ),
    "a quality there is not": f'mutation {{ reportConnectionQuality(input: {{callId: "{GENERAL}", quality: "fine"}}) {{ callId }} }}',
    "stats that are no object": (
        f'mutation {{ reportConnectionQuality(input: {{callId: "{GENERAL}", quality: "good", stats: 7}}) {{ callId }} }}'
    ),
    "a lobby that is no yes or no": 'mutation { initiateCall(input: {type: "audio", targetUserIds: [], lobby: "open"}) { callId } }',
}


@pytest.mark.parametrize("case", WRONG)
async def test_input_that_cannot_be_meant(client: Api, case: str) -> None:
    before = await dump(client.on.database)
    code, path, _ = await client.refusal(session(ALICE), WRONG[case])
    assert code in ("invalid-input", "validation-failed")
    assert path.startswith("$.selectionSet.")
    assert await dump(client.on.database) == before


async def root_fields(client: Api, role: str, kind: str) -> set[str]:
    shown: Any = await client.data(session(ALICE, role), f"{{ __schema {{ {kind} {{ fields {{ name }} }} }} }}")
    root = shown["__schema"][kind]
    return {field["name"] for field in root["fields"]} if root else set()


async def test_who_is_offered_the_actions(client: Api) -> None:
    for role in ("user", "moderator", "admin"):
        assert {"initiateCall", *ACTIONS} <= await root_fields(client, role, "mutationType")
        assert "iceServers" in await root_fields(client, role, "queryType")
    assert not {"initiateCall", *ACTIONS} & await root_fields(client, "anonymous", "mutationType")
    assert "iceServers" not in await root_fields(client, "anonymous", "queryType")
    for role in ("user", "moderator", "anonymous", "admin"):
        assert "me" in await root_fields(client, role, "queryType")


def test_the_metadata_names_every_action_as_it_is() -> None:
    """After a change: `make golden`."""
    for path, text in files().items():
        assert path.read_text() == text, path.name
