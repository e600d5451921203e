"""The whole service in this process: the product over its database, and foreign metadata over a foreign one."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import jwt
import orjson
import pytest

from app.asgi import create_app
from app.http import health
from app.http.console import OfferedUser
from app.settings import Settings
from app.telemetry.version import VERSION
from tests.support.refusals import code_in, error_in
from tests.support.waiting import eventually
from tests.transport.fakes import serving, websocket

pytestmark = pytest.mark.anyio

SECRET = "0123456789abcdef0123456789abcdef"
ALICE = "00000000-0000-4000-8000-000000000001"
MALLORY = "00000000-0000-4000-8000-000000000005"
MY_CALLS = "query { nchat_calls { id } }"


def settings(url: str, **more: Any) -> Settings:
    given: dict[str, Any] = {
        "database_url": url,
        "jwt_secret": orjson.dumps({"type": "HS256", "key": SECRET}).decode(),
        "admin_secret": "open sesame",
        "unauthorized_role": "anonymous",
        "livekit_enabled": False,
    }
    return Settings(**given | more)


def bearer(user_id: str) -> dict[str, str]:
    claims = {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user", "x-hasura-user-id": user_id}
    token = jwt.encode({"exp": int(time.time()) + 60, "https://hasura.io/jwt/claims": claims}, SECRET, algorithm="HS256")
    return {"authorization": f"Bearer {token}"}


class Asker:
    """Asks one service over HTTP."""

    def __init__(self, http: httpx2.AsyncClient, address: str) -> None:
        self.http, self.address = http, address

    async def __call__(self, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
        return (await self.http.post("/v1/graphql", json={"query": query, "variables": variables}, headers=headers)).json()


@asynccontextmanager
async def asking(given: Settings, **options: Any) -> AsyncIterator[Asker]:
    async with serving(create_app(given, **options)) as address, httpx2.AsyncClient(base_url=f"http://{address}", timeout=30) as http:
        yield Asker(http, address)


async def test_the_product(demo_database_url: str) -> None:
    async with asking(settings(demo_database_url)) as ask:
        mine = (await ask(MY_CALLS, bearer(ALICE)))["data"]["nchat_calls"]
        assert len(mine) > 0
        assert await ask(MY_CALLS, bearer(MALLORY)) == {"data": {"nchat_calls": []}}
        everything = (await ask(MY_CALLS, {"x-hasura-admin-secret": "open sesame"}))["data"]["nchat_calls"]
        assert len(everything) >= len(mine)
        refused = error_in(await ask(MY_CALLS), MY_CALLS)
        assert refused["message"] == "field 'nchat_calls' not found in type: 'query_root'"


async def test_an_action_over_http_and_over_a_websocket(demo_database_url: str) -> None:
    mutation = "mutation ($who: [uuid!]!) { initiateCall(input: {targetUserIds: $who, type: audio}) { callId } }".replace(
        "audio", '"audio"'
    )
    async with asking(settings(demo_database_url)) as ask:
        refused = error_in(await ask(mutation, bearer(ALICE), who=[MALLORY]), mutation)
        # No channel in common: she might as well not exist.
        assert refused["extensions"] == {"code": "not-found", "path": "$.selectionSet.initiateCall"}
        async with websocket(ask.address) as client:
            await client.init(bearer(ALICE))
            await client.subscribe(mutation, variables={"who": [MALLORY]})
            message = await client.receive()
            assert (message["type"], message["payload"]) == ("error", [refused])
            await client.subscribe(MY_CALLS, "2")
            assert (await client.receive())["payload"] == await ask(MY_CALLS, bearer(ALICE))


async def test_an_admin_is_told_internals_over_http_alone(demo_database_url: str) -> None:
    """Hasura's `GraphQL/Transport/WebSocket.hs`: whatever it sends is encoded without `internal` (`getErrFn errRespTy False`)."""
    wrong = '{ nchat_calls(where: {created_at: {_eq: "no day"}}) { id } }'
    admin = {"x-hasura-admin-secret": "open sesame"}
    async with asking(settings(demo_database_url)) as ask:
        over_http = error_in(await ask(wrong, admin), wrong)["extensions"]
        async with websocket(ask.address) as client:
            await client.init(admin)
            await client.subscribe(wrong, "1")
            answer = await client.receive()
        (over_websocket,) = answer["payload"]
    assert over_http.pop("internal")["error"]["status_code"] == "22007"
    assert over_websocket["extensions"] == over_http


async def test_every_commit_is_heard(demo_database_url: str) -> None:
    moments: list[str] = []
    bob = ALICE[:-1] + "2"
    mutation = f'mutation {{ initiateCall(input: {{targetUserIds: ["{bob}"], type: "audio"}}) {{ callId }} }}'
    async with asking(settings(demo_database_url), observe=moments.append) as ask:
        answer = await ask(mutation, bearer(ALICE))
    assert code_in(answer, mutation) == "media-unavailable"
    assert {moment.rpartition(":")[2] for moment in moments if moment.startswith("initiate_call")} == {"before_commit", "after_commit"}


async def test_the_other_paths(demo_database_url: str) -> None:
    async with asking(settings(demo_database_url, cors_origins="https://app.example")) as ask:
        http = ask.http
        assert (await http.get("/healthz")).text == "OK"
        ready = await http.get("/readyz")
        assert (ready.status_code, set(ready.json()["checks"])) == (200, {"database", "disk", "migrations"})
        await ask(MY_CALLS)
        assert "nchat_graphql_operations_total" in (await http.get("/metrics")).text
        assert "<html" in (await http.get("/console")).text
        assert (await http.get("/console/demo-users.json")).json() == {"users": []}
        assert (await http.get("/nowhere")).status_code == 404
        assert (await http.get("/v1/version")).json() == {"server_type": "ce", "version": f"v{VERSION}"}
        alpha = [(await http.post("/v1alpha1/graphql", json={"query": query})).status_code for query in ("{ nope }", "{")]
        assert alpha == [400, 400]
        asked = {
            "origin": "https://app.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
        }
        allowed = (await http.options("/v1/graphql", headers=asked)).headers
        assert (allowed["access-control-allow-origin"], allowed["access-control-allow-credentials"]) == ("https://app.example", "true")
        other = await http.options("/v1/graphql", headers=asked | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_the_broker_of_hints_is_looked_at(demo_database_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_FOR", 0)
    async with asking(settings(demo_database_url, hints="postgres")) as ask:

        async def heard(says: str = "1.0") -> bool:
            return f'nchat_broker_connected{{broker="postgres"}} {says}' in (await ask.http.get("/metrics")).text

        await eventually(heard)
        assert (await ask.http.get("/readyz")).json()["checks"]["hints"]["ok"]
        await hubs_are_cut_off(postgres_url, urlsplit(demo_database_url).path.removeprefix("/"))
        await eventually(partial(heard, "0.0"))
        ready = (await ask.http.get("/readyz")).json()
        assert (ready["status"], ready["checks"]["hints"]["error"]) == ("degraded", "ConnectionError")


async def hubs_are_cut_off(postgres_url: str, database: str) -> None:
    """Their connections end, and no new one is let in; those of the pools stay."""
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nchat-rtc hints' AND datname = $1"
        assert await admin.fetch(ended, database)
    finally:
        await admin.close()


async def test_the_console_offers_demo_users_with_tokens_that_work(demo_database_url: str) -> None:
    alice = OfferedUser(ALICE, "alice", "user", "somebody")
    async with asking(settings(demo_database_url), offered_users=[alice]) as ask:
        (offered,) = (await ask.http.get("/console/demo-users.json")).json()["users"]
        assert (await ask(MY_CALLS, {"authorization": f"Bearer {offered['token']}"}))["data"]["nchat_calls"]


async def test_readyz_says_when_the_database_is_not_ours(demo_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_FOR", 0)
    async with asking(settings(demo_database_url)) as ask:
        connection = await asyncpg.connect(demo_database_url)
        for revision, error in {"0001": "NotMigrated", "later": "DatabaseIsNewer"}.items():
            await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
            ready = await ask.http.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]["migrations"]["error"]) == (503, error)
        await connection.close()


LIBRARY = {
    "version": 3,
    "sources": [
        {
            "name": "default",
            "kind": "postgres",
            "configuration": {"connection_info": {"database_url": "postgres://ignored"}},
            "tables": [
                {
                    "table": {"schema": "public", "name": "book"},
                    "select_permissions": [
                        {"role": "reader", "permission": {"columns": ["id", "title"], "filter": {"owner": "x-hasura-user-id"}}}
                    ],
                    "insert_permissions": [
                        {"role": "reader", "permission": {"columns": ["title"], "check": {}, "set": {"owner": "x-hasura-user-id"}}}
                    ],
                }
            ],
        }
    ],
}
TABLES = """
    DROP TABLE IF EXISTS book;
    CREATE TABLE book (id serial PRIMARY KEY, title text, owner text);
    INSERT INTO book VALUES (DEFAULT, 'Mother', '1');
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "metadata.json"
    path.write_bytes(orjson.dumps(LIBRARY))
    return path


async def execute(url: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def test_foreign_metadata_over_a_database_that_changes_under_it(empty_database_url: str, library: Path) -> None:
    await execute(empty_database_url, [TABLES])
    open_to_all = settings(empty_database_url, jwt_secret=None, admin_secret=None, unauthorized_role=None, livekit_enabled=True)
    reader = {"x-hasura-role": "reader", "x-hasura-user-id": "1"}
    async with asking(open_to_all, metadata=library) as ask:
        for _ in range(2):
            assert await ask("{ book { title } }", reader) == {"data": {"book": [{"title": "Mother"}]}}
            inserted = await ask("mutation ($t: String) { insert_book_one(object: {title: $t}) { title } }", reader, t="Two")
            assert inserted == {"data": {"insert_book_one": {"title": "Two"}}}
            assert await ask("{ book { id } }", reader | {"x-hasura-user-id": "2"}) == {"data": {"book": []}}
            await execute(empty_database_url, [TABLES])
        no_action = "mutation { initiateCall { callId } }"
        assert code_in(await ask(no_action), no_action) == "validation-failed"
        assert set((await ask.http.get("/readyz")).json()["checks"]) == {"database", "disk"}
        assert (await ask.http.post("/api/webhooks/livekit")).status_code in (404, 405)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "run `nchat-rtc migrate`"),
        ({"jwt_secret": "{}"}, "NCHAT_JWT_SECRET needs exactly one of key and jwk_url"),
        ({"database_url": "postgresql://nobody@127.0.0.1:1/x"}, "can't be reached: Connection refused"),
    ],
)
async def test_a_start_that_fails_says_why_in_one_sentence(
    empty_database_url: str, more: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = create_app(settings(empty_database_url, **more))
    sent: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    await app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.failed"]
    assert reason in capsys.readouterr().out


async def test_an_unknown_role_for_callers_without_a_token_is_told_at_start(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    warning = "no permission names the role of NCHAT_UNAUTHORIZED_ROLE"
    async with asking(settings(database_url)):
        assert warning not in capsys.readouterr().out
    async with asking(settings(database_url, unauthorized_role="anonimous")) as ask:
        assert warning in capsys.readouterr().out
        assert code_in(await ask(MY_CALLS), MY_CALLS) == "validation-failed"


async def test_an_open_door_is_told_with_what_closes_it(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    keys = ("NCHAT_ADMIN_SECRET", "NCHAT_JWT_SECRET", "NCHAT_AUTH_HOOK", "HASURA_GRAPHQL_ADMIN_SECRET")
    async with asking(settings(database_url, jwt_secret=None, admin_secret=None, unauthorized_role=None)):
        said = capsys.readouterr().out
    assert "everybody_is_admin" in said
    assert [key for key in keys if key not in said] == []


async def test_nobody_is_admin_whom_hasuras_environment_kept_out(
    database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HASURA_GRAPHQL_ADMIN_SECRET", "open sesame")
    async with asking(Settings(database_url=database_url, livekit_enabled=False)) as ask:
        assert code_in(await ask(MY_CALLS), MY_CALLS) == "access-denied"
        assert "data" in await ask(MY_CALLS, {"x-hasura-admin-secret": "open sesame"})
    said = capsys.readouterr().out
    assert "everybody_is_admin" not in said
    assert "open sesame" not in said


async def test_media_needs_a_secret_of_some_length(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    app = create_app(settings(database_url, livekit_enabled=True, livekit_api_secret="short"))

    async def nothing(*_arguments: Any) -> Any:
        return {"type": "lifespan.startup"}

    await app({"type": "lifespan"}, nothing, nothing)
    said = capsys.readouterr().out
    assert "NCHAT_LIVEKIT_API_SECRET needs at least 32 characters" in said
    assert "short" not in said.replace("shortest", "")
