"""What RoomService answers to odd requests: one table, held against the simulator and a real livekit-server."""

from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from livekit import api

from tests.livekit.targets import KEY, SECRET, Target

pytestmark = pytest.mark.anyio
JSON = "application/json"
PROTOBUF = "application/protobuf"
SERVICE = "/twirp/livekit.RoomService"
MINE = "call_of_the_table"


def bearer(*, key: str = KEY, secret: str = SECRET, ttl: int = 3600, **grants: object) -> str:
    signer = api.AccessToken(key, secret).with_ttl(timedelta(seconds=ttl)).with_grants(api.VideoGrants(**grants))  # type: ignore[arg-type]
    return f"Bearer {signer.to_jwt()}"


ADMIN = bearer(room_create=True, room_list=True, room_admin=True, room=MINE)


@dataclass(frozen=True)
class Case:
    method: str
    status: int
    # The Twirp code and text, or how a plain text answer starts.
    code: str | None = None
    says: str = ""
    body: bytes = b"{}"
    authorization: str | None = ADMIN
    content_type: str = JSON
    verb: str = "POST"
    meta: dict[str, str] = field(default_factory=dict)


def plain(says: str, authorization: str) -> Case:
    return Case("ListRooms", 401, says=says, authorization=authorization)


def denied(method: str, authorization: str | None, body: bytes = b"{}") -> Case:
    return Case(method, 401, "unauthenticated", "permissions denied", body, authorization)


def lost(method: str, says: str, verb: str = "POST", content_type: str = JSON) -> Case:
    meta = {"twirp_invalid_route": f"{verb} {SERVICE}/{method}"}
    return Case(method, 404, "bad_route", says, verb=verb, content_type=content_type, meta=meta)


def cases() -> dict[str, Case]:
    """Made anew for each test: their tokens expire."""
    return {
        "no token": denied("ListRooms", None),
        "no Bearer": plain("invalid authorization header. Must start with Bearer", ADMIN.removeprefix("Bearer ")),
        "not a token": plain("invalid authorization token", "Bearer nonsense"),
        "wrong secret": plain("invalid token", bearer(secret=SECRET[::-1], room_list=True)),
        "unknown key": plain("invalid API key: stranger", bearer(key="stranger", room_list=True)),
        "expired": plain("invalid token", bearer(ttl=-90, room_list=True)),
        "expired within the leeway": Case("ListRooms", 200, authorization=bearer(ttl=-30, room_list=True)),
        "another grant": denied("ListRooms", bearer(room_create=True)),
        "administrator of another room": denied("ListParticipants", ADMIN, b'{"room": "another"}'),
        "create needs room_create": denied("CreateRoom", bearer(room_list=True), b'{"name": "x"}'),
        "delete needs room_create": denied("DeleteRoom", bearer(room_admin=True, room=MINE), b'{"room": "call_of_the_table"}'),
        "name too long": Case(
            "CreateRoom",
            400,
            "invalid_argument",
            "twirp error unknown: room name length exceeds limits: max length 256",
            b'{"name": "%s"}' % (b"x" * 257),
        ),
        "broken JSON": Case("CreateRoom", 400, "malformed", "the json request could not be decoded", b'{"nam'),
        "broken protobuf": Case(
            "CreateRoom", 400, "malformed", "the protobuf request could not be decoded", b"\xff\xff\xff", content_type=PROTOBUF
        ),
        "unknown fields are ignored": Case("ListRooms", 200, body=b'{"nome": 1, "names": ["absent"]}'),
        "content type": lost("ListRooms", 'unexpected Content-Type: "text/plain"', content_type="text/plain"),
        "method": lost("NoSuchMethod", f'no handler for path "{SERVICE}/NoSuchMethod"'),
        "verb": lost("ListRooms", 'unsupported method "PUT" (only POST is allowed)', verb="PUT"),
        "update nobody": Case(
            "UpdateParticipant",
            404,
            "not_found",
            "twirp error unknown: participant does not exist",
            b'{"room": "call_of_the_table", "identity": "nobody"}',
        ),
        "subscriptions of nobody": Case(
            "UpdateSubscriptions",
            503,
            "unavailable",
            "twirp error unknown: no response from servers",
            b'{"room": "call_of_the_table", "identity": "nobody"}',
        ),
        "mute nobody": Case(
            "MutePublishedTrack",
            503,
            "unavailable",
            "twirp error unknown: no response from servers",
            b'{"room": "call_of_the_table", "identity": "nobody", "trackSid": "TR_1", "muted": true}',
        ),
        "a nonce of another length": Case(
            "SendData",
            400,
            "invalid_argument",
            "nonce should be 16-bytes or not present, got: 2 bytes",
            b'{"room": "call_of_the_table", "data": "aGk=", "nonce": "aGk="}',
        ),
    }


@pytest.mark.parametrize("name", cases())
async def test_odd_requests(target: Target, name: str) -> None:
    case = cases()[name]
    headers = {"Content-Type": case.content_type} | ({"Authorization": case.authorization} if case.authorization else {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(case.verb, f"{target.url}{SERVICE}/{case.method}", data=case.body, headers=headers) as response,
    ):
        assert response.status == case.status
        if case.code:
            assert response.content_type == JSON
            answer = await response.json()
            assert answer == {"code": case.code, "msg": case.says} | ({"meta": case.meta} if case.meta else {})
        elif case.status != 200:
            assert response.content_type == "text/plain"
            assert (await response.text()).startswith(case.says)


async def test_json_replies_are_snake_case_with_zero_values(target: Target) -> None:
    headers = {"Content-Type": JSON, "Authorization": ADMIN}
    async with aiohttp.ClientSession() as session:
        body = b'{"name": "call_of_the_table", "emptyTimeout": 30}'
        async with session.post(f"{target.url}{SERVICE}/CreateRoom", data=body, headers=headers) as response:
            room = await response.json()
        async with session.post(f"{target.url}{SERVICE}/DeleteRoom", data=b'{"room": "call_of_the_table"}', headers=headers) as response:
            assert response.status == 200
    assert (room["name"], room["empty_timeout"], room["num_participants"], room["active_recording"]) == (MINE, 30, 0, False)
    assert room["creation_time"].isdigit() and len(room["sid"]) == 15 and len(room["turn_password"]) >= 40


async def test_health(target: Target) -> None:
    async with aiohttp.ClientSession() as session, session.get(target.url) as response:
        assert (response.status, await response.text()) == (200, "OK")
