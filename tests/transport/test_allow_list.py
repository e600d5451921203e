"""An allow list over HTTP, GET and websockets: roles get answers to what is listed for them and to nothing else."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.engine.authors import SQL, metadata
from tests.support.databases import Databases
from tests.support.refusals import error_in
from tests.transport.fakes import websocket
from tests.transport.test_service import Asker, asking, settings

pytestmark = pytest.mark.anyio

SECOND = {"x-hasura-role": "user", "x-hasura-user-id": "2"}
ROWS = "{ article_local { id } }"
WRITE = "mutation { update_article_local(where: {}, _set: {word_count: 7}) { affected_rows } }"
WRITTEN = "query Rows ($n: Int) {\n  article_local(limit: $n) { id }\n}"
COLLECTIONS = [
    {
        "name": "for all",
        "definition": {"queries": [{"name": "rows", "query": WRITTEN}]},
    },
    {"name": "for users", "definition": {"queries": [{"name": "write", "query": WRITE}]}},
    {"name": "for others", "definition": {"queries": [{"name": "live", "query": "subscription { article_local { id } }"}]}},
]
LISTED = [
    {"collection": "for all"},
    {"collection": "for users", "scope": {"global": False, "roles": ["user"]}},
    {"collection": "for others", "scope": {"global": False, "roles": ["reader"]}},
]


@asynccontextmanager
async def listed(databases: Databases, folder: Path, **more: Any) -> AsyncIterator[tuple[Asker, Any]]:
    document = deepcopy(metadata({})) | {"query_collections": COLLECTIONS, "allowlist": LISTED}
    document["sources"][0]["tables"][1]["select_permissions"].append({"role": "reader", "permission": {"columns": ["id"], "filter": {}}})
    file = folder / "metadata.json"
    file.write_text(json.dumps(document))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        try:
            given = settings(url, jwt_secret=None, admin_secret=None, unauthorized_role=None, **more)
            async with asking(given, metadata=file) as ask:
                yield ask, connection
        finally:
            await connection.close()


async def test_what_is_listed_is_answered_and_nothing_else(databases: Databases, tmp_path: Path) -> None:
    async with listed(databases, tmp_path, enable_allowlist=True) as (ask, connection):
        reader = {"x-hasura-role": "reader"}
        for same in (
            "query Rows($n: Int) { article_local(limit: $n) { id } }",
            "query Rows($n: Int) { __typename article_local(limit: $n) { id __typename } } # a comment",
        ):
            assert [row["id"] for row in (await ask(same, SECOND, n=5))["data"]["article_local"]] == [3]
            assert len((await ask(same, reader, n=2))["data"]["article_local"]) == 2
        for other in (
            ROWS,
            "query Others($n: Int) { article_local(limit: $n) { id } }",
            "query Rows($n: Int) { article_local(limit: $n) { key: id } }",
            "query Rows($n: Int) { article_local(limit: $n) { id ... { __typename } } }",
            "query Rows($n: Int) { article_local(limit: $n) { id } } query More { article_local { word_count } }",
            "{ __schema { types { name } } }",
        ):
            for headers in (SECOND, reader, {"x-hasura-role": "nobody"}):
                asked = {"query": other, "operationName": "Rows" if "query Rows" in other else None}
                refused = error_in((await ask.http.post("/v1/graphql", json=asked, headers=headers)).json(), other)
                assert (refused["message"], refused["extensions"]) == ("query is not allowed", {"path": "$", "code": "validation-failed"})
            assert "errors" not in await ask(ROWS)
        assert error_in(await ask(WRITE, reader), WRITE)["message"] == "query is not allowed"
        assert await connection.fetchval("SELECT count(*) FROM article_local WHERE word_count = 7") == 0
        assert (await ask(WRITE, SECOND))["data"]["update_article_local"]["affected_rows"] == 1
        by_get = await ask.http.get("/v1/graphql", params={"query": ROWS}, headers=SECOND)
        assert error_in(by_get.json(), ROWS)["message"] == "query is not allowed"
        statuses = SECOND | {"accept": "application/graphql-response+json"}
        assert (await ask.http.post("/v1/graphql", json={"query": ROWS}, headers=statuses)).status_code == 400


async def test_websockets(databases: Databases, tmp_path: Path) -> None:
    async with listed(databases, tmp_path, enable_allowlist=True) as (ask, _):
        live = "subscription { article_local { id } }"
        for role, expected in (("user", "error"), ("reader", "next")):
            async with websocket(ask.address) as client:
                await client.send(type="connection_init", payload={"headers": SECOND | {"x-hasura-role": role}})
                assert (await client.receive())["type"] == "connection_ack"
                await client.send(type="subscribe", id="1", payload={"query": live})
                answer = await client.receive()
                assert answer["type"] == expected, answer
                assert expected == "next" or answer["payload"][0]["message"] == "query is not allowed"
                await client.send(type="subscribe", id="2", payload={"query": ROWS})
                answer = await client.receive()
                assert (answer["type"], answer["payload"][0]["message"]) == ("error", "query is not allowed")


async def test_without_the_setting_the_list_is_told_and_has_no_effect(
    databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with listed(databases, tmp_path) as (ask, _):
        assert "errors" not in await ask(ROWS, SECOND)
    assert "allow_list_off" in capsys.readouterr().out
