"""`/v1/graphql` over server-sent events, against a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import orjson
import pytest

from app.connections.limits import ConnectionLimits
from app.graphql.accepted import wants_events
from app.sse.events import next_event
from app.sse.services import StreamLimits
from tests.support.event_stream import ASKS, PATH, Event, asking_for_events
from tests.support.refusals import code_in, error_in
from tests.support.waiting import eventually
from tests.transport.fakes import FakeService, serving
from tests.transport.test_websocket import authenticator, token

pytestmark = pytest.mark.anyio

ADMIN = {"x-hasura-admin-secret": "open sesame"}
LIMITS = StreamLimits(keepalive=0.2, of_one_principal=3)
AS_ADMIN = ASKS | ADMIN
COMPLETE = Event("complete")


def make_service(**more: Any) -> FakeService:
    limits = ConnectionLimits(unread_seconds=0.5)
    given: dict[str, Any] = {"stream_limits": LIMITS, "connection_limits": limits, "origins": ["https://app.example"]}
    return FakeService(authenticator(), **given | more)


@pytest.fixture
def service() -> FakeService:
    return make_service()


@pytest.fixture
async def http(service: FakeService) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(service) as address, httpx2.AsyncClient(base_url=f"http://{address}") as client:
        yield client


def code_of(event: Event | None) -> str:
    assert event is not None
    assert event.kind == "next"
    return code_in(event.data, event)


async def test_a_subscription_sends_each_event_and_completes(http: httpx2.AsyncClient, service: FakeService) -> None:
    async with asking_for_events(http, "subscription count 3", ADMIN) as events:
        assert events.response.status_code == 200
        assert events.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert events.response.headers["cache-control"] == "no-store"
        assert await events.all() == [*(Event("next", {"data": {"count": n}}) for n in range(3)), COMPLETE]
    assert service.subscriptions.open["count"] == 0
    counted = {"transport": "sse", "kind": "subscription", "outcome": "ok", "fault": "none"}
    assert service.metrics.registry.get_sample_value("nchat_graphql_operations_total", counted) == 1


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_queries_and_mutations(http: httpx2.AsyncClient, kind: str) -> None:
    seen = {"role": "admin", "variables": {"a": 1}, "name": "q", "context": "context"}
    async with asking_for_events(http, f"{kind} q", ADMIN, variables={"a": 1}, operationName="q") as events:
        assert await events.all() == [Event("next", {"data": seen}), COMPLETE]


async def test_a_browser_asks_by_get(http: httpx2.AsyncClient) -> None:
    asked = {"query": "query q", "variables": '{"a": "ü"}', "operationName": "q", "extensions": "{}"}
    answer = await http.get(PATH, params=asked, headers=AS_ADMIN)
    seen = {"role": "admin", "variables": {"a": "ü"}, "name": "q", "context": "context"}
    assert orjson.loads(answer.text.partition("data: ")[2].partition("\n")[0]) == {"data": seen}
    bad = await http.get(PATH, params={"query": "query q", "variables": "{"}, headers=AS_ADMIN)
    assert "invalid-json" in bad.text


async def test_a_mutation_is_no_get(http: httpx2.AsyncClient, service: FakeService) -> None:
    answer = await http.get(PATH, params={"query": "mutation m"}, headers=AS_ADMIN)
    assert "method-not-allowed" in answer.text
    done = {"transport": "sse", "kind": "mutation", "outcome": "ok", "fault": "none"}
    assert service.metrics.registry.get_sample_value("nchat_graphql_operations_total", done) in (None, 0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid-json"),
        (b"[]", "parse-failed"),
        (b"{}", "parse-failed"),
        (b'{"query":"nonsense"}', "validation-failed"),
        (b'{"query":"query fails x"}', "x"),
        (b'{"query":"subscription count 1","variables":[]}', "parse-failed"),
    ],
)
async def test_what_is_refused_is_the_last_payload(http: httpx2.AsyncClient, body: bytes, code: str) -> None:
    answer = await http.post(PATH, content=body, headers=AS_ADMIN)
    assert answer.status_code == 200
    assert f'"code":"{code}"' in answer.text
    assert answer.text.endswith("event: complete\ndata:\n\n")


async def test_a_right_lost_in_the_middle(http: httpx2.AsyncClient) -> None:
    async with asking_for_events(http, "subscription lost", ADMIN) as events:
        first, second, *rest = await events.all()
    assert first == Event("next", {"data": {"lost": False}})
    assert (code_of(second), rest) == ("participant-kicked", [COMPLETE])


@pytest.mark.parametrize("headers", [{"x-hasura-admin-secret": "wrong"}, {"authorization": "Bearer x"}])
async def test_strangers_get_nothing(http: httpx2.AsyncClient, service: FakeService, headers: dict[str, str]) -> None:
    async with asking_for_events(http, "subscription count 1", headers) as events:
        refused, *rest = await events.all()
    assert (code_of(refused), rest) in [("access-denied", [COMPLETE]), ("invalid-jwt", [COMPLETE])]
    assert not service.subscriptions.offers


async def test_a_client_that_comes_again_goes_on_behind_what_it_has(http: httpx2.AsyncClient) -> None:
    async with asking_for_events(http, "subscription numbered 5", ADMIN) as events:
        assert [await events.next() for _ in range(2)] == [Event("next", {"data": {"numbered": n}}, str(n)) for n in (1, 2)]
    async with asking_for_events(http, "subscription numbered 5", ADMIN | {"last-event-id": "2"}) as events:
        assert [event.id for event in await events.all()] == ["3", "4", "5", None]
    async with asking_for_events(http, "subscription numbered 5", ADMIN | {"last-event-id": "2; drop"}) as events:
        assert code_of(await events.next()) == "bad-request"


async def test_comments_keep_it_alive(http: httpx2.AsyncClient) -> None:
    async with asking_for_events(http, "subscription wait", ADMIN) as events:
        assert [event and event.kind for event in [await events.any() for _ in range(4)]] == ["", "next", "", ""]


async def test_an_expired_token_ends_it_in_words(http: httpx2.AsyncClient, service: FakeService) -> None:
    headers = {"authorization": f"Bearer {token(3)}"}
    async with asking_for_events(http, "subscription wait", headers) as events:
        first, second, *rest = await events.all()
    assert first == Event("next", {"data": {"wait": True}})
    assert (code_of(second), error_in(second.data, second)["message"]) == ("invalid-jwt", "Could not verify JWT: JWTExpired")
    assert rest == [COMPLETE]
    assert service.subscriptions.open["wait"] == 0


async def test_a_client_that_hangs_up_leaves_nothing_behind(http: httpx2.AsyncClient, service: FakeService) -> None:
    async with asking_for_events(http, "subscription wait", ADMIN) as events:
        await events.next()
        assert open_streams(service) == 1

    async def nothing_runs() -> bool:
        return service.subscriptions.open["wait"] == 0 and open_streams(service) == 0

    await eventually(nothing_runs, seconds=1)


async def test_one_principal_has_so_many_at_once(http: httpx2.AsyncClient) -> None:
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(asking_for_events(http, "subscription wait", ADMIN)) for _ in range(3)]
        assert [event and event.kind for event in [await events.next() for events in held]] == ["next"] * 3
        one_more = await stack.enter_async_context(asking_for_events(http, "subscription wait", ADMIN))
        assert code_of(await one_more.next()) == "limit-exceeded"
        other = {"authorization": f"Bearer {token(60)}"}
        somebody_else = await stack.enter_async_context(asking_for_events(http, "subscription count 1", other))
        assert (await somebody_else.all())[-1] == COMPLETE
    async with asking_for_events(http, "subscription count 1", ADMIN) as events:
        assert (await events.all())[-1] == COMPLETE


async def test_one_address_has_so_many_at_once() -> None:
    service = make_service(connection_limits=ConnectionLimits(per_address=1, trusted_proxies=["127.0.0.1"]))
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(serving(service))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://{address}"))
        events = await stack.enter_async_context(asking_for_events(http, "subscription wait", ADMIN))
        await events.next()
        assert (await http.post(PATH, json={"query": "query q"}, headers=AS_ADMIN)).status_code == 503
        assert (await http.post(PATH, json={"query": "query q"}, headers=ADMIN)).status_code == 200


async def test_a_request_that_is_too_large(http: httpx2.AsyncClient) -> None:
    assert (await http.post(PATH, json={"query": "query q", "variables": {"a": "x" * 70_000}}, headers=AS_ADMIN)).status_code == 413


async def test_with_tokens_in_cookies_a_form_of_a_foreign_page_is_refused() -> None:
    async with serving(make_service(json_only=True)) as address, httpx2.AsyncClient(base_url=f"http://{address}") as http:
        plain = {"content-type": "text/plain"}
        assert (await http.post(PATH, content=b'{"query":"query q"}', headers=AS_ADMIN | plain)).status_code == 415


@pytest.mark.parametrize("origin", ["https://app.example", "SELF"])
async def test_pages_of_allowed_origins(http: httpx2.AsyncClient, origin: str) -> None:
    own = str(http.base_url).rstrip("/") if origin == "SELF" else origin
    async with asking_for_events(http, "subscription count 1", ADMIN | {"origin": own}) as events:
        assert (await events.all())[-1] == COMPLETE


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_pages_of_other_origins(http: httpx2.AsyncClient, service: FakeService, method: str, origin: str) -> None:
    asked = {"query": "subscription count 1"}
    answer = await http.request(method, PATH, params=asked, json=asked, headers=AS_ADMIN | {"origin": origin})
    assert answer.status_code == 403
    assert not service.subscriptions.offers


async def test_a_client_that_does_not_read_costs_a_bounded_buffer_and_is_dropped(http: httpx2.AsyncClient, service: FakeService) -> None:
    body = orjson.dumps({"query": "subscription large"})
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nX-Hasura-Admin-Secret: open sesame\r\n"
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert b"200" in await reader.readline()

    async def dropped() -> bool:
        return service.subscriptions.sent["large"] > 0 and service.subscriptions.open["large"] == 0

    await eventually(dropped)
    writer.close()
    # What the kernel's buffers of both ends took: the service itself holds one event and 64 KiB.
    assert service.subscriptions.sent["large"] < 500
    assert service.metrics.registry.get_sample_value("nchat_connections_ended_total", {"reason": "unread"}) == 1


async def test_a_server_that_stops_breaks_it_off_so_that_the_client_comes_again(service: FakeService) -> None:
    async with AsyncExitStack() as clients:
        async with serving(service) as address:
            http = await clients.enter_async_context(httpx2.AsyncClient(base_url=f"http://{address}"))
            events = await clients.enter_async_context(asking_for_events(http, "subscription wait", ADMIN))
            await events.next()
        assert await events.all() == []
    assert service.subscriptions.open["wait"] == 0


async def test_who_asks_for_json_gets_json(http: httpx2.AsyncClient) -> None:
    answer = await http.post(PATH, json={"query": "query q"}, headers=ADMIN | {"accept": "application/json, text/event-stream"})
    assert answer.json()["data"]["role"] == "admin"


@pytest.mark.parametrize(
    ("accept", "events"),
    [
        ("text/event-stream", True),
        ("text/event-stream, multipart/mixed", True),
        ("Text/Event-Stream;q=0.9, */*;q=0.1", False),
        ("text/event-stream;q=0.9, */*;q=0.1", True),
        ("text/event-stream, application/json", True),
        ("application/json, text/event-stream", False),
        ("application/graphql-response+json, application/json, text/event-stream, multipart/mixed", False),
        ("application/json;q=0.5, text/event-stream", True),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=nonsense", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_what_is_asked_for(accept: str, events: bool) -> None:
    assert wants_events("POST", {"accept": accept}) is events
    assert not wants_events("OPTIONS", {"accept": accept})


def test_a_payload_is_one_line() -> None:
    event = next_event(b'{"data":[{"a":"\\n"},\r\n {"a":2}]}', "7")
    assert event == b'event: next\nid: 7\ndata: {"data":[{"a":"\\n"},   {"a":2}]}\n\n'


def open_streams(service: FakeService) -> float | None:
    return service.metrics.registry.get_sample_value("nchat_event_streams")
