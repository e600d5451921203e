"""Root fields in a namespace over what clients speak: GET, which reads alone, batches, websockets and event streams."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.engine.authors import SQL, metadata
from tests.support.databases import Databases
from tests.support.refusals import error_in
from tests.transport.fakes import websocket
from tests.transport.test_service import Asker, asking, settings

pytestmark = pytest.mark.anyio

SECOND = {"x-hasura-role": "user", "x-hasura-user-id": "2"}
STRANGER = {"x-hasura-role": "stranger"}
ROWS = "query Rows($n: Int) { shop { article_local(limit: $n) { id } __typename } }"
WRITE = "mutation { shop { update_article_local(where: {}, _set: {word_count: 7}) { affected_rows } } }"
ROWS_OF_SECOND = {"shop": {"article_local": [{"id": 3}], "__typename": "shop_query"}}


@pytest.fixture
async def served(databases: Databases, tmp_path: Path) -> AsyncIterator[tuple[Asker, asyncpg.Connection]]:
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(metadata({"root_fields": {"namespace": "shop"}})))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        try:
            async with asking(settings(url, jwt_secret=None, admin_secret=None, unauthorized_role=None), metadata=file) as ask:
                yield ask, connection
        finally:
            await connection.close()


async def test_http(served: tuple[Asker, asyncpg.Connection]) -> None:
    ask, connection = served
    by_get = await ask.http.get("/v1/graphql", params={"query": ROWS, "variables": '{"n": 5}'}, headers=SECOND)
    assert (by_get.status_code, by_get.json()) == (200, {"data": ROWS_OF_SECOND})
    refused = (await ask.http.get("/v1/graphql", params={"query": ROWS}, headers=STRANGER)).json()
    assert error_in(refused, ROWS)["message"] == "field 'shop' not found in type: 'query_root'"
    written = await ask.http.get("/v1/graphql", params={"query": WRITE}, headers=SECOND)
    assert error_in(written.json(), WRITE)["message"]
    assert await connection.fetchval("SELECT count(*) FROM article_local WHERE word_count = 7") == 0
    others = "{ shop { author_local { id } } }"
    batch = [{"query": asked} for asked in (ROWS, WRITE, others)]
    read, changed, hidden = (await ask.http.post("/v1/graphql", json=batch, headers=SECOND)).json()
    assert (read, changed) == ({"data": ROWS_OF_SECOND}, {"data": {"shop": {"update_article_local": {"affected_rows": 1}}}})
    assert error_in(hidden, others)["message"] == "field 'author_local' not found in type: 'shop_query'"
    assert await connection.fetchval("SELECT array_agg(id) FROM article_local WHERE word_count = 7") == [3]


async def test_websockets(served: tuple[Asker, asyncpg.Connection]) -> None:
    ask, _ = served
    live = "subscription { shop { article_local { id word_count } } }"
    async with websocket(ask.address) as client:
        await client.send(type="connection_init", payload={"headers": SECOND})
        assert (await client.receive())["type"] == "connection_ack"
        await client.send(type="subscribe", id="1", payload={"query": live})
        assert (await client.receive())["payload"] == {"data": {"shop": {"article_local": [{"id": 3, "word_count": 30}]}}}
        await client.send(type="subscribe", id="2", payload={"query": WRITE})
        told = [await client.receive() for _ in range(3)]
        assert {"data": {"shop": {"update_article_local": {"affected_rows": 1}}}} in [one.get("payload") for one in told]
        assert {"data": {"shop": {"article_local": [{"id": 3, "word_count": 7}]}}} in [one.get("payload") for one in told]
    async with websocket(ask.address) as client:
        await client.send(type="connection_init", payload={"headers": STRANGER})
        assert (await client.receive())["type"] == "connection_ack"
        await client.send(type="subscribe", id="1", payload={"query": live})
        answer = await client.receive()
        assert (answer["type"], answer["payload"][0]["message"]) == ("error", "no subscriptions exist")
