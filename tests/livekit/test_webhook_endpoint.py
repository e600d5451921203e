"""The webhook endpoint: whom it believes, what it keeps, what it answers."""

import json
import logging
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from livekit import api
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.livekit import protocol
from app.livekit.webhook_endpoint import BODY_LIMIT, PATH, LiveKitWebhooks
from app.livekit.webhook_signature import WebhookSignatures
from app.livekit.webhook_store import Unstorable
from domain.webhooks.webhook_event import WebhookEvent
from resolvers.sql.database import DatabaseError
from tests.support.log_lines import LogLines

KEYS = {"old": "the-old-secret-0123456789abcdef0123456789", "new": "the-new-secret-0123456789abcdef0123456789"}
BODY = json.dumps(
    {
        "event": "participant_joined",
        "id": "EV_1",
        "createdAt": "1795368896",
        "room": {"sid": "RM_1", "name": "call_1", "turnPassword": "turn-secret", "metadata": "m"},
        "participant": {"sid": "PA_1", "identity": "alice", "metadata": "private", "permission": {"canPublish": True}},
        "aFieldOfTomorrow": {"x": 1},
    }
).encode()


class Inbox:
    """The endpoint with a store in memory; `fault` is raised instead of storing."""

    def __init__(self) -> None:
        self.kept: list[WebhookEvent] = []
        self.woken = 0
        self.fault: Exception | None = None
        endpoint = LiveKitWebhooks(WebhookSignatures(KEYS), self._store, self._wake)
        self.client = TestClient(Starlette(routes=[endpoint.route()]), raise_server_exceptions=False)

    async def _store(self, event: WebhookEvent) -> bool:
        if self.fault:
            raise self.fault
        new = all(kept.id != event.id for kept in self.kept)
        if new:
            self.kept.append(event)
        return new

    def _wake(self) -> None:
        self.woken += 1

    def post(self, body: bytes, authorization: str | None) -> tuple[int, bytes]:
        headers = {"content-type": "application/webhook+json"} | ({"authorization": authorization} if authorization else {})
        response = self.client.post(PATH, content=body, headers=headers)
        return response.status_code, response.content


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def signature(body: bytes, key: str = "new", *, secret: str | None = None, ttl: int = 300, digest: bool = True) -> str:
    token = api.AccessToken(key, secret or KEYS.get(key, "x" * 40)).with_ttl(timedelta(seconds=ttl))
    return token.with_sha256(b64encode(sha256(body).digest()).decode() if digest else "").to_jwt()


def test_a_signed_delivery_is_kept_reduced_and_wakes_the_work(inbox: Inbox, log_lines: LogLines, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert inbox.post(BODY, signature(BODY)) == (200, b"")
    assert inbox.kept == [
        WebhookEvent(
            id="EV_1",
            event="participant_joined",
            created_at=datetime.fromtimestamp(1795368896, UTC),
            payload={
                "room": {"name": "call_1", "sid": "RM_1"},
                "participant": {
                    "identity": "alice",
                    "sid": "PA_1",
                    "kind": "standard",
                    "state": "joining",
                    "disconnect_reason": "unknown_reason",
                },
            },
        )
    ]
    assert inbox.woken == 1
    assert log_lines == []
    # Nor in a line of a library.
    assert "turn-secret" not in caplog.text and "private" not in caplog.text


def test_a_repeated_delivery_is_answered_and_wakes_nobody(inbox: Inbox) -> None:
    assert inbox.post(BODY, signature(BODY))[0] == 200
    assert inbox.post(BODY, signature(BODY))[0] == 200
    assert (len(inbox.kept), inbox.woken) == (1, 1)


@pytest.mark.parametrize("key", KEYS)
def test_any_configured_key_may_sign(inbox: Inbox, key: str) -> None:
    assert inbox.post(BODY, signature(BODY, key))[0] == 200


@pytest.mark.parametrize(
    ("_case", "authorization"),
    [
        ("no header", lambda: None),
        ("not a token", lambda: "nonsense"),
        ("Bearer form", lambda: f"Bearer {signature(BODY)}"),
        ("unknown key", lambda: signature(BODY, "stranger")),
        ("wrong secret", lambda: signature(BODY, secret="y" * 40)),
        ("one key's name, another's secret", lambda: signature(BODY, "new", secret=KEYS["old"])),
        ("expired beyond the leeway", lambda: signature(BODY, ttl=-90)),
        ("signs another body", lambda: signature(BODY + b" ")),
        ("signs no body: a join token, say", lambda: signature(BODY, digest=False)),
    ],
)
def test_anybody_else_gets_one_and_the_same_refusal(inbox: Inbox, _case: str, authorization: Callable[[], str | None]) -> None:
    assert inbox.post(BODY, authorization()) == (401, b"")
    assert (inbox.kept, inbox.woken) == ([], 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"event": "room_started"}', b'{"id": "EV_1"}'])
def test_a_signed_body_that_is_no_event_is_refused_for_good(inbox: Inbox, body: bytes) -> None:
    assert inbox.post(body, signature(body)) == (400, b"")
    assert (inbox.kept, inbox.woken) == ([], 0)


def named(part: str, **fields: object) -> bytes:
    """An event with these fields in one part, which is the event itself when it has no name."""
    body: dict[str, object] = {"event": "participant_joined", "id": "EV_1"}
    return json.dumps(body | ({part: fields} if part else fields)).encode()


UNSTORABLE = {
    "an id with a NUL": named("", id="EV_\0"),
    "an event with a NUL": named("", event="room_\0"),
    "a room with a NUL": named("room", name="call_\0"),
    "an identity with a NUL": named("participant", identity="\0"),
    "a file's name with a NUL": named("egressInfo", egressId="EG_1", fileResults=[{"filename": "\0"}]),
    "a very long id": named("", id="EV_" + "x" * 3000),
    "a very long connection": named("participant", sid="PA_" + "ü" * 200),
    "a very long room": named("room", name="r" * 3000),
    "sent at the end of time": named("", createdAt=str(2**63 - 1)),
    "sent before all time": named("", createdAt=str(-(2**63))),
    "half a character": b'{"event": "room_started", "id": "EV_\\ud800"}',
    "very deep": b'{"id": "EV_1", "event": "x", "y": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("body", UNSTORABLE.values(), ids=UNSTORABLE)
def test_what_can_never_be_stored_is_refused_for_good(inbox: Inbox, body: bytes) -> None:
    """With 400: LiveKit takes a 4xx for delivered, and would send anything else again."""
    assert inbox.post(body, signature(body)) == (400, b"")
    assert (inbox.kept, inbox.woken) == ([], 0)


def test_what_postgresql_refuses_for_good_is_refused_so(inbox: Inbox) -> None:
    inbox.fault = Unstorable("22P05")
    assert inbox.post(BODY, signature(BODY)) == (400, b"")
    assert inbox.woken == 0


ODD_CLAIMS: dict[str, dict[str, object]] = {
    "a digest that is a number": {"sha256": 5},
    "a list": {"sha256": ["x"]},
    "of no ASCII": {"sha256": "ü"},
    "an expiry beyond all numbers": {"exp": 10**400, "sha256": 5},
    "an infinite one": {"exp": float("inf")},
    "an expiry in words": {"exp": "tomorrow"},
    "none": {"exp": None},
    "grants that are none": {"video": 5, "sha256": None},
    "an issuer that is a number": {"iss": 5},
}


@pytest.mark.parametrize("claims", ODD_CLAIMS.values(), ids=ODD_CLAIMS)
def test_claims_of_any_kind_are_a_refusal_and_no_fault(inbox: Inbox, claims: dict[str, object]) -> None:
    honest = {"iss": "new", "exp": int(time.time()) + 60, "sha256": b64encode(sha256(BODY).digest()).decode()}
    token = jwt.api_jws.encode(json.dumps(honest | claims).encode(), KEYS["new"])
    assert inbox.post(BODY, token) == (401, b"")
    assert inbox.kept == []


def test_a_huge_body_is_not_read(inbox: Inbox) -> None:
    body = b" " * (BODY_LIMIT + 1)
    assert inbox.post(body, signature(body)) == (413, b"")
    assert inbox.kept == []


@pytest.mark.parametrize("fault", [DatabaseError("08006", "connection error"), DatabaseError("57P01", "terminating connection")])
def test_our_own_trouble_asks_for_a_retry(inbox: Inbox, fault: Exception) -> None:
    inbox.fault = fault
    assert inbox.post(BODY, signature(BODY)) == (503, b"")
    assert inbox.woken == 0
    inbox.fault = None
    assert inbox.post(BODY, signature(BODY)) == (200, b"")
    assert (len(inbox.kept), inbox.woken) == (1, 1)


def test_a_defect_of_ours_is_retried_too(inbox: Inbox) -> None:
    inbox.fault = ZeroDivisionError()
    assert inbox.post(BODY, signature(BODY))[0] == 500


def test_get_is_not_a_delivery(inbox: Inbox) -> None:
    assert inbox.client.get(PATH).status_code == 405


def test_of_an_egress_no_address_is_kept(inbox: Inbox) -> None:
    info = {
        "egressId": "EG_1",
        "status": "EGRESS_COMPLETE",
        "error": "rtmp://host/app/stream-key: no route",
        "fileResults": [{"filename": "a.mp4", "location": "https://key@bucket/a.mp4", "size": "12", "duration": "5000000000"}],
        "streamResults": [{"url": "rtmp://host/app/stream-key", "status": "FAILED", "error": "rtmp://host/app/stream-key"}],
    }
    body = json.dumps({"event": "egress_ended", "id": "EV_2", "egressInfo": info}).encode()
    assert inbox.post(body, signature(body))[0] == 200
    egress = inbox.kept[0].payload["egress"]
    assert "stream-key" not in str(egress) and "bucket" not in str(egress)
    assert isinstance(egress, dict)
    assert (egress["id"], egress["status"]) == ("EG_1", "egress_complete")
    assert egress["results"]["files"] == [{"filename": "a.mp4", "started_at": 0, "ended_at": 0, "duration": 5_000_000_000, "size": 12}]
    assert egress["results"]["streams"][0]["status"] == "failed"


def test_of_an_ingress_nothing_that_livekit_says_in_words_is_kept(inbox: Inbox) -> None:
    state = {"status": "ENDPOINT_ERROR", "error": "rtmp://host/app/stream-key: refused"}
    body = json.dumps({"event": "ingress_ended", "id": "EV_4", "ingressInfo": {"ingressId": "IN_1", "state": state}}).encode()
    assert inbox.post(body, signature(body))[0] == 200
    kept = inbox.kept[0].payload
    assert "stream-key" not in str(kept) and "IN_1" in str(kept)


def test_a_value_newer_than_our_protocol_is_unknown_wherever_it_comes_from(inbox: Inbox) -> None:
    body = json.dumps({"event": "participant_left", "id": "EV_3", "participant": {"disconnectReason": 99, "state": 99}}).encode()
    assert inbox.post(body, signature(body))[0] == 200
    fields: Any = inbox.kept[0].payload["participant"]
    listed = protocol.participant(api.ParticipantInfo(state=99, tracks=[api.TrackInfo(source=99)]))  # type: ignore[arg-type]
    assert fields["disconnect_reason"] == fields["state"] == listed.state == listed.tracks[0].source == "unknown"
