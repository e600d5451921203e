"""compose's proxy, a real nginx with the very file: what passes, what is hidden, and what is written down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from devstack.ports import free_port
from tests.support.domain_setup import ALICE
from tests.support.doors import NO_NGINX, compose_proxy, nginx
from tests.support.event_stream import Event, asking_for_events
from tests.support.waiting import eventually
from tests.support.whole_service import Caller, WholeService, bearer, simulated, whole_service
from tests.transport.fakes import websocket

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(nginx() is None, reason=NO_NGINX)]


@dataclass(frozen=True, slots=True)
class Outside:
    """What somebody outside has: the proxy's port."""

    port: int
    http: httpx2.AsyncClient
    service: WholeService
    folder: Path

    async def raw(self, path: str) -> int:
        """The status for a path that no client would write so."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: rtc.example.org\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1])


@pytest.fixture
async def outside(demo_database_url: str, tmp_path: Path) -> AsyncIterator[Outside]:
    port = free_port()
    async with AsyncExitStack() as stack:
        _, livekit = await stack.enter_async_context(simulated(None))
        opened = whole_service(demo_database_url, livekit, cors_origins="https://chat.example.org")
        service = await stack.enter_async_context(opened)
        await stack.enter_async_context(compose_proxy(livekit, f"http://{service.address}", port, tmp_path))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30))
        yield Outside(port, http, service, tmp_path)


async def test_graphql_and_the_console_pass(outside: Outside) -> None:
    alice = Caller(outside.http, bearer(ALICE))
    assert await alice.data("{ nchat_calls { id } }") == await outside.service.person(ALICE).data("{ nchat_calls { id } }")
    assert (await outside.http.get("/healthz")).text == "OK"
    assert "<html" in (await outside.http.get("/console")).text
    async with websocket(f"127.0.0.1:{outside.port}", origin="https://chat.example.org") as client:
        await client.init(bearer(ALICE))
        await client.subscribe("subscription { nchat_calls { id } }")
        assert (await client.receive())["type"] == "next"


async def test_events_pass_as_they_come_and_who_hangs_up_is_gone(outside: Outside) -> None:
    asked = "subscription { nchat_users(limit: 1, order_by: {username: asc}) { username } }"
    async with asking_for_events(outside.http, asked, bearer(ALICE) | {"origin": "https://chat.example.org"}) as events:
        # nginx would keep so short an answer until its end, which never comes.
        assert await events.next() == Event("next", {"data": {"nchat_users": [{"username": "alice"}]}})
        assert events.response.headers["access-control-allow-origin"] == "https://chat.example.org"
        assert await open_streams(outside) == 1

    async def is_gone() -> bool:
        return await open_streams(outside) == 0

    await eventually(is_gone)
    async with asking_for_events(outside.http, asked, bearer(ALICE) | {"origin": "https://evil.example"}) as events:
        assert events.response.status_code == 403


async def open_streams(outside: Outside) -> float:
    """As the service itself tells it."""
    metrics = (await outside.service.http.get("/metrics")).text
    return float(metrics.partition("\nnchat_event_streams ")[2].partition("\n")[0])


async def test_what_is_for_the_network_alone_is_not_there(outside: Outside) -> None:
    assert "nchat_" in (await outside.service.http.get("/metrics")).text
    inside = ("metrics", "api/livekit/admit", "api/webhooks/livekit")
    spellings = [
        f"{before}{path}{after}" for path in inside for before in ("/", "//", "/./", "/x/../", "/%2e/") for after in ("", "?a=b", "/")
    ]
    spellings += ["/%6detrics", "/metric%73", "/api//livekit/admit", "/api/%6civekit/admit", "/metrics%2f", "/metrics%00", "/METRICS"]
    answers = {spelling: await outside.raw(spelling) for spelling in spellings}
    # `/metrics/` is the API's to lead back to `/metrics`.
    assert {path: status for path, status in answers.items() if status not in (400, 404, 307)} == {}
    assert (await outside.http.get("/metrics/", follow_redirects=True)).status_code == 404


async def test_a_request_that_is_too_large_goes_no_further(outside: Outside) -> None:
    assert (await outside.http.get("/v1/graphql", params={"query": "x" * 40_000})).status_code == 414
    assert (await outside.http.get("/v1/graphql", headers={"x-long": "x" * 40_000})).status_code == 400
    assert (await outside.http.post("/v1/graphql", content=b"x" * (1 << 21))).status_code == 413


async def test_no_token_is_written_down(outside: Outside) -> None:
    for path in ("/rtc", "/rtc/validate", "/v1/graphql", "/nowhere"):
        await outside.http.get(
            path, params={"access_token": "very-secret", "query": "very-secret"}, headers={"authorization": "very-secret"}
        )
    await outside.http.get("/media/playlist/00000000-0000-4000-8000-000000000001/very-secret/0/segment_00000.ts")
    log = outside.folder / "nginx" / "access.log"

    async def written() -> bool:
        text = log.read_text()
        return "GET /nowhere 404" in text and "/media/playlist/00000000-0000-4000-8000-000000000001/[hidden] 404" in text

    await eventually(written)
    assert "very-secret" not in log.read_text() + (outside.folder / "nginx.log").read_text()


async def test_who_asks_is_what_the_proxy_in_front_says(outside: Outside) -> None:
    await outside.http.get("/healthz", headers={"x-forwarded-for": "198.51.100.1, 203.0.113.7"})
    log = outside.folder / "nginx" / "access.log"

    async def written() -> bool:
        return "203.0.113.7 [" in log.read_text()

    await eventually(written)
