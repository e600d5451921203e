"""Webhook mode against a real HTTP server: what it is told, what its answers mean, and that it is asked each time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import aiohttp
import httpx2
import orjson
import pytest
from aiohttp import web

from app.auth import Authenticator
from app.auth.hook import AuthHook, Exchange
from app.auth.hook.auth_hook import MAX_BYTES
from app.auth.open_authenticator import admin_secrets
from app.graphql.request_body import body_of_url
from app.settings import ConfigurationError, Settings
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from tests.transport.fakes import FakeService, serving

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000.0
USER = {"X-Hasura-Role": "user", "X-Hasura-User-Id": "1"}
SECRETS = {"authorization": "Bearer t", "cookie": "a=b", "x-hasura-role": "moderator"}
INVALID = "Invalid response from authorization hook"


class Hook:
    """The other side: `answer` is its status, body and cookies; `asked` what it was told."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, orjson.dumps(USER), list[tuple[str, str]]()
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        given = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.method, given, orjson.loads(body) if body else None))
        response = web.Response(status=self.status, body=self.body)
        for name, value in self.headers:
            response.headers.add(name, value)
        return response


@pytest.fixture
async def hook() -> AsyncIterator[tuple[Hook, str]]:
    served = Hook()
    app = web.Application(client_max_size=1 << 22)
    app.router.add_route("*", "/hook", served.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield served, f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield http


def asking(url: str, client: aiohttp.ClientSession, mode: Literal["GET", "POST"] = "GET", send: bool = True) -> Authenticator:
    found = AuthHook(url, client, mode=mode, send_request_body=send, clock=lambda: NOW)
    return Authenticator(admin_secrets=["open sesame"], hook=found)


async def refused(who: Authenticator, headers: dict[str, str]) -> tuple[str, str]:
    with pytest.raises(GraphQLRefusal) as caught:
        await who.authenticate(headers)
    assert caught.value.path == "$"
    return caught.value.code, caught.value.message


async def test_get_forwards_the_callers_headers_but_those_of_its_connection(hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    served, url = hook
    of_the_connection = {
        "host": "evil.example",
        "content-length": "999",
        "transfer-encoding": "chunked",
        "connection": "close",
        "origin": "o",
    }
    session = await asking(url, client).authenticate(SECRETS | of_the_connection | {"user-agent": "theirs"})
    assert session == Session("user", {"x-hasura-role": "user", "x-hasura-user-id": "1"})
    method, given, body = served.asked[0]
    assert (method, body) == ("GET", None)
    assert SECRETS.items() <= given.items()
    assert "origin" not in given
    assert "transfer-encoding" not in given
    assert given["host"] != "evil.example"
    assert given["user-agent"].startswith("nchat-rtc/")


async def test_post_sends_all_headers_and_the_request(hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    served, url = hook
    text = b'{"query":"query q","variables":{"n":12345678901234567890}}'
    await asking(url, client, "POST").authenticate(SECRETS | {"user-agent": "theirs"}, Exchange(text))
    await asking(url, client, "POST").authenticate(SECRETS)
    await asking(url, client, "POST").authenticate(SECRETS, Exchange(b"no json"))
    await asking(url, client, "POST", send=False).authenticate(SECRETS, Exchange(b"{}"))
    bodies = [body for _, _, body in served.asked]
    assert [method for method, _, _ in served.asked] == ["POST"] * 4
    assert bodies[0] == {"headers": SECRETS | {"user-agent": "theirs"}, "request": orjson.loads(text)}
    assert bodies[1:] == [{"headers": SECRETS, "request": None}] * 2 + [{"headers": SECRETS}]
    assert "cookie" not in served.asked[0][1]


async def test_the_admin_secret_is_never_shown_to_it(hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    who = asking(hook[1], client)
    assert (await who.authenticate({"x-hasura-admin-secret": "open sesame"})).trusted
    assert (await refused(who, {"x-hasura-admin-secret": "wrong"}))[0] == "access-denied"
    assert hook[0].asked == []


async def test_it_is_asked_each_time(hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    served, url = hook
    who = asking(url, client)
    served.body = orjson.dumps(USER | {"Cache-Control": "max-age=600"})
    assert (await who.authenticate(SECRETS)).role == "user"
    served.status = 401
    assert await refused(who, SECRETS) == ("access-denied", "Authentication hook unauthorized this request")
    assert len(served.asked) == 2


@pytest.mark.parametrize(
    ("more", "expires_at"),
    [
        ({}, None),
        ({"Cache-Control": "max-age=600"}, NOW + 600),
        ({"cache-control": "private, s-maxage=5"}, NOW + 5),
        ({"Expires": "Tue, 14 Nov 2023 22:14:20 GMT"}, NOW + 60),
        ({"Cache-Control": "max-age=600", "Expires": "Tue, 14 Nov 2023 22:14:20 GMT"}, NOW + 600),
        ({"Cache-Control": "no-store", "Expires": "Tue, 14 Nov 2023 22:14:20 GMT"}, NOW + 60),
        ({"Expires": "tomorrow"}, None),
    ],
)
async def test_until_when_a_session_counts(
    more: dict[str, str], expires_at: float | None, hook: tuple[Hook, str], client: aiohttp.ClientSession
) -> None:
    hook[0].body = orjson.dumps(USER | more)
    session = await asking(hook[1], client).authenticate(SECRETS)
    assert session.expires_at == expires_at
    assert set(session.variables) == {"x-hasura-role", "x-hasura-user-id"}


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (403, b"{}", "unexpected", INVALID),
        (302, b"", "unexpected", INVALID),
        (200, b"{", "unexpected", f"{INVALID}: not JSON"),
        (200, b"[]", "unexpected", f"{INVALID}: Error in $: parsing HashMap failed, expected Object, but encountered Array"),
        (
            200,
            b'{"X-Hasura-Role":"user","X-Hasura-User-Id":1}',
            "unexpected",
            f"{INVALID}: Error in $['X-Hasura-User-Id']: parsing Text failed, expected String, but encountered Number",
        ),
        (200, b'{"X-Hasura-User-Id":"1"}', "invalid-params", "x-hasura-role not found in session variables"),
        (200, b'{"X-Hasura-Role":""}', "invalid-params", "x-hasura-role not found in session variables"),
        (200, b" " * (MAX_BYTES + 1), "unexpected", "webhook authentication request failed"),
    ],
)
async def test_answers_that_name_nobody(
    status: int, body: bytes, code: str, words: str, hook: tuple[Hook, str], client: aiohttp.ClientSession
) -> None:
    hook[0].status, hook[0].body = status, body
    if status == 302:
        hook[0].headers.append(("Location", hook[1]))
    assert await refused(asking(hook[1], client), SECRETS) == (code, words)
    assert len(hook[0].asked) == 1


@pytest.mark.parametrize("body", [b'{"x-hasura-role":"user","X-Hasura-Role":"admin"}', b'{"X-Hasura-Role":"a\\u0000"}'])
async def test_answers_with_two_meanings(body: bytes, hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    hook[0].body = body
    assert (await refused(asking(hook[1], client), SECRETS))[0] == "unexpected"


async def test_a_webhook_that_is_away(client: aiohttp.ClientSession) -> None:
    assert await refused(asking("http://127.0.0.1:1/hook", client), {}) == ("unexpected", "webhook authentication request failed")


@pytest.mark.parametrize("headers", [{"a": "b\r\nx-admin: 1"}, {"a b": "c"}, {"a": "\x00"}])
async def test_a_header_can_not_become_two(headers: dict[str, str], hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    assert (await refused(asking(hook[1], client), headers))[0] == "invalid-headers"
    assert hook[0].asked == []


@pytest.mark.parametrize(
    "text",
    [
        '{"query":"query q","query":"query r"}',
        '{"query":"query q","extensions":{"a":1,"a":2}}',
        '{"query":"query q","query":"query r","variables":{"n":1e400}}',
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_what_it_can_not_judge_is_not_run(text: str, accept: str, hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    served, url = hook
    service = FakeService(asking(url, client, "POST"))
    async with serving(service) as address, httpx2.AsyncClient(base_url=f"http://{address}") as http:
        answer = await http.post("/v1/graphql", content=text, headers={"accept": accept})
        assert "a key stands twice" in answer.text and '"data"' not in answer.text
    assert served.asked == []


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_it_judges_every_request(accept: str, hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    """By POST, in a URL, and where events are asked for."""
    served, url = hook
    given, wanted = {"query": "query q", "variables": '{"n":1}'}, {"query": "query q", "variables": {"n": 1}}
    async with serving(FakeService(asking(url, client, "POST"))) as address, httpx2.AsyncClient(base_url=f"http://{address}") as http:
        await http.post("/v1/graphql", json=wanted, headers={"accept": accept})
        await http.get("/v1/graphql", params=given, headers={"accept": accept})
    assert [body["request"] for _, _, body in served.asked] == [wanted, wanted]


@pytest.mark.parametrize("number", ["1e400", "12345678901234567890.5", "7"])
def test_a_number_in_a_url_is_judged_as_it_runs(number: str) -> None:
    assert body_of_url(f"query=q&variables=%7B%22n%22:{number}%7D".encode()) == f'{{"query":"q","variables":{{"n":{number}}}}}'.encode()


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_its_cookies_reach_the_caller(accept: str, hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    served, url = hook
    served.headers = [("Set-Cookie", "a=1; Secure"), ("Set-Cookie", "b=2"), ("X-Other", "c")]
    async with serving(FakeService(asking(url, client))) as address, httpx2.AsyncClient(base_url=f"http://{address}") as http:
        answer = await http.post("/v1/graphql", json={"query": "query q"}, headers={"accept": accept})
        assert answer.headers.get_list("set-cookie") == ["a=1; Secure", "b=2"]
        assert "x-other" not in answer.headers
        served.status = 401
        answer = await http.post("/v1/graphql", json={"query": "query q"}, headers={"accept": accept})
        assert "access-denied" in answer.text and '"data"' not in answer.text
        assert "set-cookie" not in answer.headers


async def test_a_large_request_is_read_beside_the_event_loop(hook: tuple[Hook, str], client: aiohttp.ClientSession) -> None:
    """Who asks is told alike; meanwhile the loop has turned."""
    served, url = hook
    large = orjson.dumps({"query": "query q", "variables": {"n": ["x" * 10] * 50_000}})
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while served.asked == []:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(turning())
        session = await asking(url, client, "POST").authenticate({}, Exchange(large))
    assert session.role == "user" and turns > 2
    assert served.asked[0][2]["request"] == orjson.loads(large)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"auth_hook": "http://h/x", "jwt_secret": "{}"}, "not both"),
        ({"auth_hook": "http://h/x", "unauthorized_role": "guest", "admin_secret": "s"}, "names the role of every caller"),
        ({"auth_hook": "ftp://h/x"}, "is not of the form http"),
    ],
)
def test_settings_that_can_not_be_meant(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(**given)


def test_which_admin_secrets_count() -> None:
    assert admin_secrets(Settings(admin_secret="a", admin_secrets='["b", "c"]')) == ("b", "c")
    assert admin_secrets(Settings(admin_secret="a")) == ("a",)
    for text in ("[]", '["a", ""]', "a", '["a", 1]'):
        with pytest.raises(ConfigurationError, match="NCHAT_ADMIN_SECRETS"):
            admin_secrets(Settings(admin_secrets=text))


def test_when_everybody_is_admin() -> None:
    assert Settings().is_open
    said = [Settings(auth_hook="http://h/x"), Settings(admin_secrets='["b"]'), Settings(jwt_secrets="[{}]"), Settings(jwt_secret="{}")]
    assert not any(settings.is_open for settings in said)
