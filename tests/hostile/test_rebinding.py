"""A page whose own name was made to lead to this machine: its browser sends requests here, with that name as Host and as Origin."""

from collections.abc import AsyncIterator
from typing import Final

import httpx2
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.asgi import create_app
from app.http.console import HEADERS, PAGE, POLICY, OfferedUser
from app.settings import Settings
from devstack.demo_users import DEMO_USERS
from tests.transport.fakes import serving

pytestmark = pytest.mark.anyio
NAMES: Final = ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "evil@localhost.evil")
FOREIGN: Final = (*NAMES, "[::2]", "8.8.8.8", "")
PATHS: Final = ("/console/demo-users.json", "/console", "/v1/graphql", "/metrics", "/healthz", "/nowhere")


@pytest.fixture
async def address(demo_database_url: str) -> AsyncIterator[str]:
    """As `make run` serves, under the name rtc.example.org too."""
    settings = Settings(
        database_url=demo_database_url,
        public_url="https://rtc.example.org",
        jwt_secret=orjson.dumps({"type": "HS256", "key": "0123456789abcdef0123456789abcdef"}).decode(),
        admin_secret="open sesame",
        livekit_enabled=False,
    )
    users = [OfferedUser(str(user.id), user.name, user.role, user.note) for user in DEMO_USERS]
    async with serving(create_app(settings, offered_users=users)) as where:
        yield where


@pytest.mark.parametrize("host", FOREIGN)
async def test_nothing_is_told_under_a_foreign_name(address: str, host: str) -> None:
    async with httpx2.AsyncClient(base_url=f"http://{address}") as http:
        answers = {path: await http.get(path, headers={"Host": host}) for path in PATHS}
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code not in (400, 421)} == {}
    assert all("token" not in answer.text for answer in answers.values())


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "rtc.example.org"])
async def test_under_its_own_names_it_answers(address: str, host: str) -> None:
    async with httpx2.AsyncClient(base_url=f"http://{address}") as http:
        offered = await http.get("/console/demo-users.json", headers={"Host": host})
    assert len(offered.json()["users"]) == len(DEMO_USERS)


async def upgrade(address: str, host: str, origin: str) -> int:
    """The status of a websocket's upgrade."""
    headers = {"Origin": origin}
    uri = f"ws://{host}/v1/graphql"
    where = address.split(":")
    try:
        async with connect(uri, additional_headers=headers, subprotocols=["graphql-transport-ws"], host=where[0], port=int(where[1])):  # type: ignore[list-item]
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_foreign_page_opens_no_websocket(address: str) -> None:
    port = address.split(":")[1]
    own, foreign = f"localhost:{port}", f"evil.example:{port}"
    assert await upgrade(address, own, f"http://{own}") == 101
    assert await upgrade(address, "rtc.example.org", "https://rtc.example.org") == 101
    pages = [
        (foreign, f"http://{foreign}"),
        (own, f"http://{foreign}"),
        (foreign, f"http://{own}"),
        (own, "http://["),
        (own, "null"),
        (own, ""),
    ]
    assert [page for page in pages if await upgrade(address, *page) not in (403, 421)] == []


async def test_a_foreign_name_is_no_origin_of_a_deployment_either(demo_database_url: str) -> None:
    """Where nobody offers tokens every Host is answered, but a page is the service's own only under one of its names."""
    settings = Settings(database_url=demo_database_url, admin_secret="open sesame", livekit_enabled=False)
    async with serving(create_app(settings)) as address:
        assert await upgrade(address, "evil.example", "http://evil.example") == 403
        assert await upgrade(address, address, f"http://{address}") == 101


async def test_every_answer_of_the_console_is_guarded(address: str) -> None:
    files = [f"/console/{file.relative_to(PAGE)}" for file in PAGE.rglob("*") if file.is_file()][:20]
    assert files
    async with httpx2.AsyncClient(base_url=f"http://{address}") as http:
        for path in ["/console", "/console/", "/console/demo-users.json", "/console/nowhere", "/console/assets", *files]:
            answer = await http.get(path)
            guarded = {name: answer.headers.get(name) for name in HEADERS if name != "Cache-Control"}
            # The page's own websockets, named for browsers that don't take them for `'self'`, and nothing else besides.
            others = f" ws://{address} wss://{address}" if path == "/console" else ""
            policy = POLICY.format(others=others)
            assert guarded == {name: value for name, value in HEADERS.items() if name != "Cache-Control"} | {
                "Content-Security-Policy": policy
            }, path
        refused = await http.post("/console/", content=b"")
    assert (refused.status_code, refused.headers["x-content-type-options"]) == (405, "nosniff")


async def test_a_host_that_is_none_is_named_to_no_browser(demo_database_url: str) -> None:
    settings = Settings(database_url=demo_database_url, admin_secret="open sesame", livekit_enabled=False)
    async with serving(create_app(settings)) as address, httpx2.AsyncClient(base_url=f"http://{address}") as http:
        answer = await http.get("/console", headers={"host": "evil.example; script-src *"})
    assert answer.headers["content-security-policy"] == POLICY.format(others="")
