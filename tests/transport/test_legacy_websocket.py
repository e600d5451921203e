"""graphql-ws, the older subprotocol, message by message, against a real server: what it has in common with the other, and what not."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from starlette.types import Message
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.graphql.request_body import request_of
from app.websocket.legacy_ws import LegacyWs
from app.websocket.running_operation import RunningOperation
from app.websocket.socket import Socket
from app.websocket.socket_services import SocketLimits
from permissions.session import Session
from tests.support.refusals import code_in
from tests.support.waiting import eventually
from tests.transport.fakes import Client, FakeService, serving, websocket
from tests.transport.test_websocket import ADMIN, CONNECTION_LIMITS, authenticator, nothing, token

pytestmark = pytest.mark.anyio

LIMITS = SocketLimits(ping_interval=60, legacy_ping_interval=0.2, max_operations=3)


@pytest.fixture
def service() -> FakeService:
    return FakeService(authenticator(), limits=LIMITS, connection_limits=CONNECTION_LIMITS, origins=["https://app.example"])


@pytest.fixture
async def address(service: FakeService) -> AsyncIterator[str]:
    async with serving(service) as address:
        yield address


@pytest.fixture
async def client(address: str) -> AsyncIterator[Client]:
    """Admitted as admin."""
    async with websocket(address, subprotocols=["graphql-ws"]) as client:
        await client.init(ADMIN)
        yield client


async def test_a_subscription_sends_each_event_and_completes(client: Client, service: FakeService) -> None:
    await client.subscribe("subscription count 2", 'a"b')
    got = [await client.receive() for _ in range(3)]
    assert got == [{"type": "next", "id": 'a"b', "payload": {"data": {"count": n}}} for n in range(2)] + [{"type": "complete", "id": 'a"b'}]
    assert service.subscriptions.open["count"] == 0


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_queries_and_mutations(client: Client, kind: str) -> None:
    await client.subscribe(f"{kind} q", variables={"a": 1}, operationName="q")
    seen = {"role": "admin", "variables": {"a": 1}, "name": "q", "context": "context"}
    assert await client.receive() == {"type": "next", "id": "1", "payload": {"data": seen}}
    assert await client.receive() == {"type": "complete", "id": "1"}


@pytest.mark.parametrize(
    ("payload", "code"),
    [({"query": "nonsense"}, "validation-failed"), ({}, "parse-failed"), (None, "parse-failed"), ({"query": "mutation fails x"}, "x")],
)
async def test_a_bad_operation_ends_itself_with_an_error_that_completes_it_and_nothing_else(
    client: Client, payload: Any, code: str
) -> None:
    """Hasura's `withComplete`."""
    await client.subscribe("subscription wait", "other")
    assert (await client.receive())["id"] == "other"
    await client.begin("bad", payload)
    answer = await client.receive()
    assert (answer["type"], answer["id"], code_in(answer["payload"], payload)) == ("error", "bad", code)
    assert await client.receive() == {"type": "complete", "id": "bad"}
    await client.subscribe("query q", "bad")
    assert (await client.receive())["type"] == "next"


async def test_what_fails_while_it_runs_is_told_in_its_payload(client: Client) -> None:
    """Hasura's `mkPostExecErrMessageAction`."""
    await client.subscribe("mutation breaks x")
    answer = await client.receive()
    assert (answer["type"], answer["id"], code_in(answer["payload"], "a mutation")) == ("next", "1", "x")
    assert await client.receive() == {"type": "complete", "id": "1"}


async def test_an_error_in_the_middle_is_the_end_and_completed_too(client: Client) -> None:
    await client.subscribe("subscription lost")
    got = [await client.receive() for _ in range(3)]
    assert [(message["type"], message["id"]) for message in got] == [("next", "1"), ("error", "1"), ("complete", "1")]
    assert code_in(got[1]["payload"], "a lost right") == "participant-kicked"


async def test_an_id_is_taken_until_its_error_was_sent(service: FakeService) -> None:
    """Whoever uses it again at once takes the place of what has yet to be completed, and is not completed by it."""
    said: list[str] = []

    async def send(message: Message) -> None:
        said.append(orjson.loads(message["text"])["type"])

    request, session = request_of({"query": "nonsense"}, "somebody", 0), Session("admin")
    socket = Socket({"type": "websocket"}, nothing, send)
    operation = RunningOperation(LegacyWs().of("1"), request, session, None, service.services, socket)
    await operation.run(lambda: said.append("free"))
    assert said == ["error", "free", "complete"]


async def test_stop_closes_the_events_behind_it(client: Client, service: FakeService) -> None:
    await client.subscribe("subscription wait")
    await client.receive()
    await client.complete("1")
    await client.subscribe("subscription count 1", "2")
    assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]
    assert service.subscriptions.open["wait"] == 0


async def test_a_second_operation_of_the_same_id_takes_the_place_of_the_first(client: Client, service: FakeService) -> None:
    await client.subscribe("subscription wait")
    await client.receive()
    await client.subscribe("subscription count 1")
    assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]
    assert service.subscriptions.open["wait"] == 0


async def test_more_operations_than_allowed_are_refused_one_by_one(client: Client) -> None:
    for number in range(3):
        await client.subscribe("subscription wait", str(number))
        assert (await client.receive())["type"] == "next"
    await client.subscribe("query q", "one too many")
    assert code_in((await client.receive())["payload"], "one too many") == "limit-exceeded"
    assert await client.receive() == {"type": "complete", "id": "one too many"}


async def test_the_server_keeps_the_connection_alive_from_the_first_moment(address: str) -> None:
    async with websocket(address, subprotocols=["graphql-ws"]) as client:
        await client.send(type="connection_init", payload={"headers": ADMIN})
        assert [await client.receive_any() for _ in range(3)] == [{"type": "connection_ack"}, {"type": "ka"}, {"type": "ka"}]


async def test_the_client_says_that_it_leaves(client: Client, service: FakeService) -> None:
    await client.subscribe("subscription wait")
    await client.receive()
    await client.send(type="connection_terminate")
    assert (await client.closed())[0] == 1000
    assert service.subscriptions.open["wait"] == 0


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{", 4400),
        ('{"type":"subscribe","id":"1","payload":{"query":"query q"}}', 4400),
        ('{"type":"ping"}', 4400),
        ('{"type":"start","payload":{"query":"query q"}}', 4400),
    ],
)
async def test_the_first_message_decides_about_the_connection(address: str, sent: str, code: int) -> None:
    async with websocket(address, subprotocols=["graphql-ws"]) as client:
        await client.socket.send(sent)
        assert (await client.closed())[0] == code


async def test_a_start_before_init_fails_and_the_socket_stays(address: str, service: FakeService) -> None:
    """Hasura's `onStart`."""
    async with websocket(address, subprotocols=["graphql-ws"]) as client:
        await client.subscribe("subscription wait")
        words = "start received before the connection is initialised"
        error = {"message": words, "extensions": {"path": "$", "code": "start-failed"}}
        assert await client.receive() == {"type": "error", "id": "1", "payload": error}
        assert await client.receive() == {"type": "complete", "id": "1"}
        assert not service.subscriptions.offers
        await client.init(ADMIN)
        await client.subscribe("query q")
        assert (await client.receive())["type"] == "next"


async def test_whoever_starts_before_init_has_no_more_time_for_it() -> None:
    impatient = FakeService(authenticator(), limits=SocketLimits(init_timeout=0.3))
    async with serving(impatient) as address, websocket(address, subprotocols=["graphql-ws"]) as client:
        await client.subscribe("query q")
        assert [(await client.receive())["type"] for _ in range(2)] == ["error", "complete"]
        assert await client.closed() == (4408, "Connection initialisation timeout")
    assert impatient.engine.ran == []


async def test_a_start_that_does_not_wait_for_a_refused_init_runs_nothing(address: str, service: FakeService) -> None:
    async with websocket(address, subprotocols=["graphql-ws"]) as client:
        await client.send(type="connection_init", payload={"headers": {"x-hasura-admin-secret": "wrong"}})
        await client.subscribe("subscription wait")
        words = "invalid x-hasura-admin-secret/x-hasura-access-key"
        assert await client.receive() == {"type": "connection_error", "payload": words}
        assert await client.closed() == (4403, words)
    assert not service.subscriptions.offers


async def test_no_init_in_time() -> None:
    impatient = FakeService(authenticator(), limits=SocketLimits(init_timeout=0.3))
    async with serving(impatient) as address, websocket(address, subprotocols=["graphql-ws"]) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_a_second_init(client: Client) -> None:
    await client.send(type="connection_init")
    assert (await client.closed())[0] == 4429


async def test_a_frame_that_is_too_large(client: Client) -> None:
    await client.subscribe("query q", variables={"a": "x" * 70_000})
    assert (await client.closed())[0] == 1009


async def test_pages_of_other_origins(address: str) -> None:
    async with websocket(address, origin="https://app.example", subprotocols=["graphql-ws"]) as client:
        await client.init(ADMIN)
    with pytest.raises(InvalidStatus) as caught:
        async with websocket(address, origin="https://evil.example", subprotocols=["graphql-ws"]):
            pass
    assert caught.value.response.status_code == 403


async def test_an_expired_token_closes_the_socket_and_sends_nothing_before(address: str, service: FakeService) -> None:
    async with websocket(address, subprotocols=["graphql-ws"]) as client:
        await client.init({"Authorization": f"Bearer {token(3)}"})
        await client.subscribe("subscription wait")
        assert (await client.receive())["type"] == "next"
        with pytest.raises(ConnectionClosed):
            await client.receive()
        assert await client.closed() == (4403, "Could not verify JWT: JWTExpired")
    assert service.subscriptions.open["wait"] == 0


async def test_a_client_that_leaves_leaves_nothing_behind(address: str, service: FakeService) -> None:
    async with websocket(address, subprotocols=["graphql-ws"]) as client:
        await client.init(ADMIN)
        await client.subscribe("subscription wait")
        await client.receive()

    async def nothing_runs() -> bool:
        open_sockets = service.metrics.registry.get_sample_value("nchat_websocket_connections")
        return service.subscriptions.open["wait"] == 0 and open_sockets == 0

    await eventually(nothing_runs)
