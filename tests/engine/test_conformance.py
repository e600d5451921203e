"""The conformance cases, run against the engine without a transport."""

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.engine.library import CASES, Library, library, session_of, suite
from tests.support.databases import Databases
from tests.support.refusals import error_in

# Authentication, batches, subscriptions and headers are the transport's.
_TRANSPORT = {"server", "ws", "body"}
_HEADERS = {"backend_only_header_must_be_boolean"}
IN_PROCESS = [
    pytest.param(file, case, id=case["name"])
    for file in sorted(CASES.parent.glob("*.yaml"))
    for case in suite(file)["cases"]
    if not _TRANSPORT & case.keys() and case["name"] not in _HEADERS
]
INTROSPECT = "query($n:String!){__type(name:$n){fields{name type{kind name ofType{kind name}}} inputFields{name}}}"


@pytest.fixture(scope="module")
async def opened(request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    """An engine over the tables and the metadata of a file of cases."""
    file: Path = request.param
    metadata = tmp_path_factory.mktemp("metadata") / "metadata.json"
    metadata.write_text(json.dumps(suite(file)["metadata"]))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET timezone TO 'UTC'")
        await connection.execute(suite(file)["setup_sql"])
        await connection.close()
        async with library(url, metadata) as engine:
            yield engine


def norm(value: Any) -> Any:
    """JSON with numbers compared by value."""
    if isinstance(value, dict):
        return {key: norm(item) for key, item in value.items()}
    if isinstance(value, list):
        return [norm(item) for item in value]
    return value if isinstance(value, (bool, str)) or value is None else Decimal(str(value)).normalize()


@pytest.fixture
async def served(opened: Library, case: dict[str, Any], request: pytest.FixtureRequest) -> AsyncIterator[Library]:
    """After a mutation the tables are dropped and made again, while the engine runs."""
    yield opened
    if "mutation" in case.get("query", ""):
        await opened.pool.execute(suite(request.node.callspec.params["opened"])["setup_sql"])


@pytest.mark.anyio
@pytest.mark.parametrize(("opened", "case"), IN_PROCESS, indirect=["opened"])
async def test_case(case: dict[str, Any], served: Library) -> None:
    session = session_of(case.get("headers") or {})
    expected = case["expected"]
    for key, part in (("type_fields", "fields"), ("input_fields", "inputFields")):
        if want := expected.get(key):
            answer = await served.ask(INTROSPECT, {"n": want["type"]}, session=session)
            assert "errors" not in answer, answer
            assert sorted(field["name"] for field in answer["data"]["__type"][part]) == sorted(want["fields"])
            return
    answer = await served.ask(case["query"], case.get("variables"), session=session, name=case.get("operation_name"))
    match expected:
        case {"data": data}:
            assert norm(answer) == {"data": norm(data)}
        case {"errors": [want]}:
            check_error(want, error_in(answer, case["query"]))
        case _:
            raise AssertionError(f"{case['name']} expects neither data nor one error")
    if "after_sql" in case:
        assert await served.value(case["after_sql"]) == case["after"]


def check_error(want: dict[str, Any], error: dict[str, Any]) -> None:
    for key in ("code", "path"):
        assert error["extensions"][key] == want.get(key, error["extensions"][key])
    assert error["message"] == want.get("message", error["message"])
    assert re.search(want.get("message_re", ""), error["message"])
