"""graphql-transport-ws, message by message, against a real server."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import jwt
import orjson
import pytest
from starlette.types import Message
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.auth import Authenticator, JwtConfiguration
from app.auth.verifier import TokenVerifier
from app.connections.limits import ConnectionLimits
from app.websocket.connection import SocketConnection
from app.websocket.dialect import MOST_ECHOED
from app.websocket.socket import Socket
from app.websocket.socket_services import SocketLimits
from app.websocket.transport_ws import TransportWs
from tests.support.waiting import eventually, within
from tests.transport.fakes import LATER, FakeService, serving, websocket

pytestmark = pytest.mark.anyio

SECRET = "0123456789abcdef0123456789abcdef"
ADMIN = {"X-Hasura-Admin-Secret": "open sesame"}
CONNECTION_LIMITS = ConnectionLimits(unread_seconds=0.5)
LIMITS = SocketLimits(ping_interval=0.2, max_operations=3)


def authenticator() -> Authenticator:
    tokens = TokenVerifier(JwtConfiguration.parse(orjson.dumps({"type": "HS256", "key": SECRET}).decode()))
    return Authenticator(admin_secrets=["open sesame"], tokens=[tokens])


def token(seconds: float) -> str:
    claims = {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user", "x-hasura-user-id": "1"}
    return jwt.encode({"exp": int(time.time() + seconds), "https://hasura.io/jwt/claims": claims}, SECRET, algorithm="HS256")


@pytest.fixture
def service() -> FakeService:
    return FakeService(authenticator(), limits=LIMITS, connection_limits=CONNECTION_LIMITS, origins=["https://app.example"])


@pytest.fixture
async def address(service: FakeService) -> AsyncIterator[str]:
    async with serving(service) as address:
        yield address


async def test_a_subscription_sends_each_event_and_completes(address: str, service: FakeService) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription count 3", 'a"b')
        got = [await client.receive() for _ in range(4)]
    assert [message.get("payload") for message in got] == [{"data": {"count": n}} for n in range(3)] + [None]
    assert [message["type"] for message in got] == ["next"] * 3 + ["complete"]
    assert {message["id"] for message in got} == {'a"b'}
    assert service.subscriptions.open["count"] == 0


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_queries_and_mutations_work_over_the_socket(address: str, kind: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.subscribe(f"{kind} q", variables={"a": 1}, operationName="q")
        seen = {"role": "admin", "variables": {"a": 1}, "name": "q", "context": "context"}
        assert await client.receive() == {"type": "next", "id": "1", "payload": {"data": seen}}
        assert await client.receive() == {"type": "complete", "id": "1"}


@pytest.mark.parametrize(
    ("payload", "code", "path"),
    [
        ({"query": "nonsense"}, "validation-failed", "$.query"),
        ({}, "parse-failed", "$"),
        ({"query": 1}, "parse-failed", "$.query"),
        ({"query": "query q", "variables": []}, "parse-failed", "$.variables"),
        (None, "parse-failed", "$"),
    ],
)
async def test_a_bad_operation_ends_itself_and_nothing_else(address: str, payload: Any, code: str, path: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription wait", "other")
        assert (await client.receive())["id"] == "other"
        await client.send(type="subscribe", id="bad", payload=payload)
        answer = await client.receive()
        assert (answer["type"], answer["id"]) == ("error", "bad")
        assert answer["payload"][0]["extensions"] == {"code": code, "path": path}
        await client.subscribe("query q", "bad")
        assert (await client.receive())["type"] == "next"


async def test_a_right_lost_in_the_middle_ends_the_subscription_with_an_error(address: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription lost")
        assert (await client.receive())["type"] == "next"
        answer = await client.receive()
    assert answer == {
        "type": "error",
        "id": "1",
        "payload": [{"message": "You were removed from this call.", "extensions": {"path": "$", "code": "participant-kicked"}}],
    }


async def test_complete_closes_the_events_behind_it_and_frees_the_id(address: str, service: FakeService) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription wait")
        await client.receive()
        await client.send(type="complete", id="1")
        await client.subscribe("subscription count 1")
        assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]
        assert service.subscriptions.open["wait"] == 0


async def test_a_client_that_leaves_leaves_nothing_behind(address: str, service: FakeService) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription wait")
        await client.receive()

    async def nothing_runs() -> bool:
        open_sockets = service.metrics.registry.get_sample_value("nchat_websocket_connections")
        operations = service.metrics.registry.get_sample_value("nchat_websocket_operations")
        return (service.subscriptions.open["wait"], open_sockets, operations) == (0, 0, 0)

    await eventually(nothing_runs)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{", 4400),
        ("[]", 4400),
        ('{"type":"start","id":"1"}', 4400),
        ('{"type":7}', 4400),
        (b'{"type":"connection_init"}', 4400),
        ('{"type":"connection_init","payload":{"headers":{"a":1}}}', 4400),
        ('{"type":"subscribe","id":"1","payload":{"query":"query q"}}', 4401),
        ('{"type":"connection_init"}', 4403),
        ('{"type":"connection_init","payload":{"headers":{"x-hasura-admin-secret":"wrong"}}}', 4403),
        ('{"type":"connection_init","payload":{"headers":{"authorization":"Bearer nonsense"}}}', 4403),
    ],
)
async def test_the_first_message_decides_about_the_connection(address: str, sent: str | bytes, code: int) -> None:
    async with websocket(address) as client:
        await client.socket.send(sent)
        closed, reason = await client.closed()
    assert closed == code
    assert reason


async def test_the_reason_of_a_refusal_shows_no_secret(address: str) -> None:
    async with websocket(address) as client:
        await client.send(type="connection_init", payload={"headers": {"x-hasura-admin-secret": "my own password"}})
        assert await client.closed() == (4403, "invalid x-hasura-admin-secret/x-hasura-access-key")


async def test_no_init_in_time() -> None:
    impatient = FakeService(authenticator(), limits=SocketLimits(init_timeout=0.3))
    async with serving(impatient) as address, websocket(address) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_an_init_that_is_understood_when_its_time_is_over(service: FakeService) -> None:
    """By a moment: who waited for it has given up, and the socket is about to close."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    socket = Socket({"type": "websocket"}, nothing, send)
    connection = SocketConnection(TransportWs(), socket, {"type": "websocket"}, {}, service.services, "1")
    connection._acknowledged.cancel()
    await connection._init({"headers": ADMIN})
    assert [message["text"] for message in sent] == ['{"type":"connection_ack"}']


async def nothing() -> Message:
    raise AssertionError("nothing is read")


async def test_a_second_init(address: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.send(type="connection_init")
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_an_id_in_use(address: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription wait")
        await client.receive()
        await client.subscribe("query q")
        assert await client.closed() == (4409, "Subscriber for 1 already exists")


async def test_more_operations_than_allowed_are_refused_one_by_one(address: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        for number in range(3):
            await client.subscribe("subscription wait", str(number))
            assert (await client.receive())["type"] == "next"
        await client.subscribe("query q", "one too many")
        answer = await client.receive()
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "limit-exceeded")
        await client.send(type="complete", id="0")
        await client.subscribe("query q", "again")
        assert (await client.receive())["type"] == "next"


async def test_ping_is_answered_and_the_server_pings_too(address: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}
        assert await client.receive_any() == {"type": "ping", "payload": {"message": "keepalive"}}


@pytest.mark.parametrize(
    "payload",
    ['{"message":"né"}', '{"sent":1700000000000,"exactly":0.12345678901234567890123}', "{}", '{"m":"' + "x" * (MOST_ECHOED - 8) + '"}'],
    ids=["words", "numbers", "nothing", "as long as may be"],
)
async def test_a_pong_gives_the_payload_of_its_ping_back(address: str, payload: str) -> None:
    async with websocket(address) as client:
        await client.socket.send(f'{{"type":"ping","payload":{payload}}}')
        assert await within(client.socket.recv(), 5) == f'{{"type":"pong","payload":{payload}}}'


@pytest.mark.parametrize(
    "payload",
    [
        "null",
        '"text"',
        "[1]",
        '{"m":"' + "x" * (MOST_ECHOED - 7) + '"}',
        '{"m":"' + "é" * (MOST_ECHOED // 2) + '"}',
        f'{{"m":{"[" * 300}{"]" * 300}}}',
    ],
    ids=["null", "a text", "a list", "a byte too long", "too long in bytes", "too deep"],
)
async def test_a_payload_that_is_not_given_back_is_answered_all_the_same(address: str, payload: str) -> None:
    async with websocket(address) as client:
        await client.socket.send(f'{{"type":"ping","payload":{payload}}}')
        assert await within(client.socket.recv(), 5) == '{"type":"pong"}'


async def test_only_the_offered_subprotocols(address: str) -> None:
    async with websocket(address, subprotocols=["graphql-over-anything"]) as client:
        assert await client.closed() == (4406, "Subprotocol not acceptable")
    async with websocket(address, subprotocols=["graphql-ws", "graphql-transport-ws"]) as client:
        assert client.socket.subprotocol == "graphql-transport-ws"


async def test_a_frame_that_is_too_large(address: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        await client.subscribe("query q", variables={"a": "x" * 70_000})
        assert (await client.closed())[0] == 1009


@pytest.mark.parametrize("origin", ["https://app.example", "SELF", None])
async def test_pages_of_allowed_origins(address: str, origin: str | None) -> None:
    own = f"http://{address}" if origin == "SELF" else origin
    async with websocket(address, origin=own) as client:
        await client.init(ADMIN)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil.example"])
async def test_pages_of_other_origins(address: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with websocket(address, origin=origin):
            pass
    assert caught.value.response.status_code == 403


async def test_headers_of_the_upgrade_count_and_those_of_init_win(address: str) -> None:
    async with websocket(address, additional_headers={"Authorization": f"Bearer {token(60)}"}) as client:
        await client.init()
        await client.subscribe("query q")
        assert (await client.receive())["payload"]["data"]["role"] == "user"
    async with websocket(address, additional_headers={"Authorization": "Bearer nonsense"}) as client:
        await client.init({"authorization": f"Bearer {token(60)}"})


async def test_an_expired_token_closes_the_socket_and_sends_nothing_before(address: str, service: FakeService) -> None:
    async with websocket(address) as client:
        await client.init({"Authorization": f"Bearer {token(3)}"})
        for operation in ("a", "b"):
            await client.subscribe("subscription wait", operation)
            assert (await client.receive())["type"] == "next"
        with pytest.raises(ConnectionClosed):
            await client.receive()
        assert await client.closed() == (4403, "Could not verify JWT: JWTExpired")
    assert service.subscriptions.open["wait"] == 0


async def test_a_stalled_client_costs_a_bounded_buffer_and_is_dropped(address: str, service: FakeService) -> None:
    async with websocket(address, max_queue=1, close_timeout=0.1) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription large")
        await client.receive()
        client.socket.transport.pause_reading()

        async def dropped() -> bool:
            return service.subscriptions.open["large"] == 0

        await eventually(dropped)
        # What the kernel's buffers of both ends took: the service itself holds one message and 64 KiB.
        assert service.subscriptions.sent["large"] < 500
        assert service.metrics.registry.get_sample_value("nchat_connections_ended_total", {"reason": "unread"}) == 1


async def test_an_operator_closes_a_socket_of_a_client_that_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.connections.websocket_protocol.CLOSE_TIMEOUT", 0.2)
    service = FakeService(authenticator())
    async with serving(service) as address, websocket(address, max_queue=1) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription large")
        client.socket.transport.pause_reading()
        (socket,) = next(service.services.sockets.of(None))

        async def is_full() -> bool:
            return isinstance(socket, SocketConnection) and socket._socket.is_busy()

        await eventually(is_full)
        socket.end()

        async def is_gone() -> bool:
            return not service.metrics.registry.get_sample_value("nchat_websocket_connections")

        await eventually(is_gone)
        # It never learns of it, and would wait long for the answer to its own goodbye.
        client.socket.transport.abort()


async def test_a_socket_that_is_not_read_holds_no_finished_answer_of_each_live_query() -> None:
    service = FakeService(authenticator())
    async with serving(service) as address, websocket(address, max_queue=1, max_size=None) as client:
        await client.init(ADMIN)
        for number in range(30):
            await client.subscribe("subscription later", str(number))
            await client.receive()
        client.socket.transport.pause_reading()
        first = len(service.subscriptions.offers)
        service.subscriptions.later.set()

        async def all_offered() -> bool:
            return len(service.subscriptions.offers) == first + 30

        await eventually(all_offered)
        assert sum(offer.size for offer in service.subscriptions.offers) <= len(LATER)
        client.socket.transport.resume_reading()
        got = [await client.receive() for _ in range(30)]
    assert {message["id"] for message in got} == {str(number) for number in range(30)}
    assert all(message["payload"] == orjson.loads(LATER) for message in got)


async def test_events_that_wait_for_a_client_count_among_what_the_process_holds() -> None:
    service = FakeService(authenticator(), connection_limits=ConnectionLimits(unsent_bytes=20_000_000))
    async with serving(service) as address, websocket(address, max_queue=1, max_size=None, close_timeout=0.1) as client:
        await client.init(ADMIN)
        for number in range(30):
            await client.subscribe("subscription page", str(number))
            await client.receive()
        client.socket.transport.pause_reading()
        service.subscriptions.later.set()

        async def dropped() -> bool:
            return service.subscriptions.open["page"] == 0

        await eventually(dropped)
    reason = {"reason": "unsent-too-much"}
    assert service.metrics.registry.get_sample_value("nchat_connections_ended_total", reason) == 1


async def test_a_server_that_stops_says_come_back(service: FakeService) -> None:
    async with AsyncExitStack() as clients:
        async with serving(service) as address:
            client = await clients.enter_async_context(websocket(address))
            await client.init(ADMIN)
            await client.subscribe("subscription wait")
            await client.receive()
        assert (await client.closed())[0] == 1012
    assert service.subscriptions.open["wait"] == 0
