"""`api_limits` of foreign metadata over HTTP and websockets: what a role may not ask is not run, and admin may ask everything."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.engine.authors import SQL, metadata
from tests.support.databases import Databases
from tests.support.refusals import code_in, error_in
from tests.transport.fakes import websocket
from tests.transport.test_service import Asker, asking, settings

pytestmark = pytest.mark.anyio

SECOND = {"x-hasura-role": "user", "x-hasura-user-id": "2"}
ROWS = "{ article_local { id } }"
SLOW = """
CREATE FUNCTION slow_articles() RETURNS SETOF article_local LANGUAGE sql STABLE
  AS 'SELECT a.* FROM pg_sleep(20) s, article_local a';
"""


@asynccontextmanager
async def limited(databases: Databases, folder: Path, limits: dict[str, Any]) -> AsyncIterator[tuple[Asker, Any]]:
    """A service that trusts whoever asks, and a connection to its database."""
    document = metadata({}) | {"api_limits": limits}
    document["sources"][0]["functions"] = [{"function": "slow_articles"}]
    file = folder / "metadata.json"
    file.write_text(json.dumps(document))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL + SLOW)
        try:
            given = settings(url, jwt_secret=None, admin_secret=None, unauthorized_role=None)
            async with asking(given, metadata=file) as ask:
                yield ask, connection
        finally:
            await connection.close()


async def code_of(ask: Asker, query: str, headers: dict[str, str] | None = None) -> str:
    error = error_in(await ask(query, headers), query)
    assert error["extensions"]["path"] == "$"
    return str(error["extensions"]["code"])


async def test_depth_and_nodes(databases: Databases, tmp_path: Path) -> None:
    limits = {"depth_limit": {"global": 9, "per_role": {"user": 1}}, "node_limit": {"global": 2}}
    async with limited(databases, tmp_path, limits) as (ask, connection):
        assert (await ask(ROWS, SECOND))["data"] == {"article_local": [{"id": 3}]}
        deep = "{ article_local { ...F } } fragment F on article_local { article_local: id }"
        assert "errors" not in await ask(deep, SECOND)
        for query in (
            "{ article_local_aggregate { aggregate { count } } }",
            "{ article_local_aggregate { ...F } } fragment F on article_local_aggregate { ... { nodes { id } } }",
            "{ article_local_aggregate { aggregate @skip(if: true) { count } nodes @include(if: false) { id } __typename } }",
        ):
            assert await code_of(ask, query, SECOND) == "depth-limit-exceeded", query
            assert "errors" not in await ask(query)
        wide = "{ a: article_local { id } b: article_local { id } c: article_local { id } }"
        assert await code_of(ask, wide, SECOND) == "node-limit-exceeded"
        assert "errors" not in await ask(wide)
        write = "mutation { update_article_local(where: {}, _set: {word_count: 7}) { affected_rows returning { id } } }"
        assert await code_of(ask, write, SECOND) == "depth-limit-exceeded"
        assert await connection.fetchval("SELECT count(*) FROM article_local WHERE word_count = 7") == 0
        # The limits of a role that nobody knows are those of everybody.
        stranger = {"x-hasura-role": "nobody"}
        assert await code_of(ask, "{ a { b } c { d } e { f } }", stranger) == "node-limit-exceeded"
        # Introspection is measured by neither.
        told = await ask('{ __schema { types { fields { type { ofType { name } } } } } __type(name: "Int") { name } }', SECOND)
        assert "errors" not in told


async def test_fragments_in_fragments_are_measured_at_once(databases: Databases, tmp_path: Path) -> None:
    async with limited(databases, tmp_path, {"node_limit": {"global": 1_000_000}}) as (ask, _):
        chain = " ".join(f"fragment f{n} on article_local {{ ...f{n + 1} ... on article_local {{ ...f{n + 1} }} }}" for n in range(60))
        query = f"{{ article_local {{ ...f0 }} }} {chain} fragment f60 on article_local {{ id {{ id }} }}"
        assert await code_of(ask, query, SECOND) == "node-limit-exceeded"


async def test_batches(databases: Databases, tmp_path: Path) -> None:
    async with limited(databases, tmp_path, {"batch_limit": {"global": 3, "per_role": {"user": 2}}}) as (ask, connection):
        write = "mutation { update_article_local(where: {}, _set: {word_count: 7}) { affected_rows } }"
        body = [{"query": ROWS}, {"query": write}]
        assert [set(one) for one in (await ask.http.post("/v1/graphql", json=body, headers=SECOND)).json()] == [{"data"}, {"data"}]
        await connection.execute("UPDATE article_local SET word_count = 0")
        refused = (await ask.http.post("/v1/graphql", json=[*body, {"query": ROWS}], headers=SECOND)).json()
        assert error_in(refused, ROWS)["extensions"]["code"] == "batch-limit-exceeded"
        assert await connection.fetchval("SELECT max(word_count) FROM article_local") == 0
        assert len((await ask.http.post("/v1/graphql", json=[{"query": ROWS}] * 4)).json()) == 4


async def test_rates_by_role_address_and_variables(databases: Databases, tmp_path: Path) -> None:
    by_person = {"max_reqs_per_min": 2, "unique_params": ["x-hasura-user-id"]}
    limits = {"rate_limit": {"global": {"max_reqs_per_min": 3, "unique_params": "IP"}, "per_role": {"user": by_person}}}
    async with limited(databases, tmp_path, limits) as (ask, connection):
        first = {"x-hasura-role": "user", "x-hasura-user-id": "1"}
        assert [await code(ask, SECOND) for _ in range(3)] == ["", "", "rate-limit-exceeded"]
        assert [await code(ask, first) for _ in range(3)] == ["", "", "rate-limit-exceeded"]
        write = "mutation { update_article_local(where: {}, _set: {word_count: 7}) { affected_rows } }"
        assert await code_of(ask, write, SECOND) == "rate-limit-exceeded"
        assert await connection.fetchval("SELECT count(*) FROM article_local WHERE word_count = 7") == 0
        statuses = {"accept": "application/graphql-response+json"}
        answer = await ask.http.post("/v1/graphql", json={"query": ROWS}, headers=SECOND | statuses)
        wait = error_in(answer.json(), ROWS)["extensions"]["retryAfter"]
        assert (answer.status_code, 0 < wait <= 60) == (429, True)
        # Whoever else comes from that address has the rate of everybody, websockets and members of batches included.
        stranger = {"x-hasura-role": "nobody"}
        batch = (await ask.http.post("/v1/graphql", json=[{"query": ROWS}] * 2, headers=stranger)).json()
        assert [code_in(one, ROWS) for one in batch] == ["validation-failed"] * 2
        async with websocket(ask.address) as client:
            await client.send(type="connection_init", payload={"headers": stranger})
            assert (await client.receive())["type"] == "connection_ack"
            codes = []
            for number in range(2):
                await client.send(type="subscribe", id=str(number), payload={"query": "subscription { article_local { id } }"})
                codes.append((await client.receive())["payload"][0]["extensions"]["code"])
        assert codes == ["validation-failed", "rate-limit-exceeded"]
        assert [await code(ask, {}) for _ in range(5)] == [""] * 5


async def code(ask: Asker, headers: dict[str, str]) -> str:
    answer = await ask(ROWS, headers)
    return code_in(answer, ROWS) if "errors" in answer else ""


async def test_the_stricter_time_wins(databases: Databases, tmp_path: Path) -> None:
    async with limited(databases, tmp_path, {"time_limit": {"global": 0.2, "per_role": {"user": 0.2}}}) as (ask, _):
        error = error_in(await ask("{ slow_articles { id } }", SECOND), ROWS)
        assert (error["extensions"]["code"], "0.2 s" in error["message"]) == ("time-limit-exceeded", True)
        assert "errors" not in await ask(ROWS, SECOND)


async def test_the_time_is_that_of_the_whole_operation(databases: Databases, tmp_path: Path) -> None:
    """However many statements it takes: beside introspection each root field is one."""
    async with limited(databases, tmp_path, {"time_limit": {"global": 9, "per_role": {"user": 1}}}) as (ask, connection):
        await connection.execute(SLOW.replace("CREATE", "CREATE OR REPLACE").replace("20", "0.4"))
        fields = [f"r{number}: slow_articles {{ id }}" for number in range(4)]
        one, many = "{ __typename %s }", "{ __schema { queryType { name } } %s }"
        assert "errors" not in await ask(many % fields[0], SECOND)
        error = error_in(await ask(many % " ".join(fields), SECOND), many)
        assert (error["extensions"]["code"], "1 s" in error["message"]) == ("time-limit-exceeded", True)
        # The next request has all of it, and so has whoever has no such limit.
        assert "errors" not in await ask(one % fields[0], SECOND)
        assert "errors" not in await ask(many % " ".join(fields))


async def test_limits_that_are_switched_off(databases: Databases, tmp_path: Path) -> None:
    deep = "{ article_local_aggregate { nodes { id } } }"
    for limits in (
        {"disabled": True, "depth_limit": {"global": 1}},
        {"depth_limit": {"global": 1, "state": "disabled"}, "node_limit": {"global": 9, "state": "enabled"}},
    ):
        async with limited(databases, tmp_path, limits) as (ask, _):
            assert "errors" not in await ask(deep, SECOND)
