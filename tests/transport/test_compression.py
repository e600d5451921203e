"""Which answers are sent as gzip, to whom."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from graphql import get_introspection_query

from app.asgi import create_app
from app.graphql.compression import takes_gzip
from devstack.demo_data import USER_IDS
from tests.support.whole_service import ADMIN_SECRET, bearer, settings
from tests.transport.fakes import serving

pytestmark = pytest.mark.anyio

PATH = "/v1/graphql"
SCHEMA = {"query": get_introspection_query()}
ROWS = {"query": "{ nchat_users { " + " ".join(f"a{number}: display_name" for number in range(60)) + " } }"}
FEW = {"query": "{ nchat_users(limit: 1) { id } }"}
GZIP, PLAIN = {"accept-encoding": "br, gzip"}, {"accept-encoding": "br, gzip;q=0"}


@asynccontextmanager
async def service(url: str, **more: object) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(settings(url, "http://127.0.0.1:9", **more))
    async with serving(app) as address, httpx2.AsyncClient(base_url=f"http://{address}", headers=bearer(USER_IDS["alice"])) as http:
        yield http


async def sent(http: httpx2.AsyncClient, body: object, headers: dict[str, str]) -> tuple[str | None, int, object]:
    """The coding, the bytes on the wire and what they say."""
    answer = await http.post(PATH, json=body, headers=headers)
    assert "errors" not in answer.json(), answer.text
    coding = answer.headers.get("content-encoding")
    assert answer.headers.get("vary") == ("accept-encoding" if coding else None)
    return coding, int(answer.headers["content-length"]), answer.json()


async def test_what_a_role_may_see_is_always_compressed(demo_database_url: str) -> None:
    async with service(demo_database_url) as http:
        _, plain, whole = await sent(http, SCHEMA, PLAIN)
        first, again = [await sent(http, SCHEMA, GZIP) for _ in range(2)]
        assert first == again == ("gzip", first[1], whole)
        assert first[1] * 8 < plain
        assert (await sent(http, ROWS, GZIP))[0] is None
        others = await http.post(PATH, json=SCHEMA, headers=GZIP | {"x-hasura-admin-secret": ADMIN_SECRET})
        assert others.headers["content-encoding"] == "gzip"
        assert others.json() != whole, "another role's"


async def test_other_answers_are_by_a_setting_and_never_to_a_cookie(demo_database_url: str) -> None:
    async with service(demo_database_url, compress_answers=True) as http:
        _, plain, rows = await sent(http, ROWS, PLAIN)
        coding, size, same = await sent(http, ROWS, GZIP)
        assert (coding, same) == ("gzip", rows)
        assert size * 4 < plain
        assert (await sent(http, FEW, GZIP))[0] is None, "nothing to gain"
        assert await sent(http, ROWS, GZIP | {"cookie": "a=b"}) == (None, plain, rows)
        both = {"query": f"{{ __schema {{ types {{ name }} }} {ROWS['query'][1:]}"}
        assert (await sent(http, both, GZIP | {"cookie": "a=b"}))[0] is None, "rows behind a schema are rows"


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True), ("GZip", True), ("x-gzip", True), ("br;q=1.0, gzip;q=0.5", True), ("gzip;q=1", True), ("gzip; q=0.001", True),
        ("", False), ("br", False), ("gzip;q=0", False), ("gzip;q=0.000, br", False), ("notgzip", False), ("*", False),
    ],
)  # fmt: skip
def test_what_accept_encoding_takes(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) == takes
