"""The console's examples and those of docs/clients.md: each runs as it stands, and the built console holds them."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from devstack.demo_data import FINISHED, USER_IDS
from tests.support.domain_setup import ALICE, GENERAL
from tests.support.whole_service import WholeService, bearer, simulated, whole_service
from tests.transport.fakes import websocket

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "console" / "src" / "tour" / "examples").glob("*.graphql"))
# They go on from ids that others answered; they have tests of their own.
STEP_BY_STEP = {"08-accept", "09-leave", "10-end", "13-record-a-call"}
AT_ONCE = [file for file in EXAMPLES if file.stem not in STEP_BY_STEP]
IN_THE_DOCS = {"CallHistory", "CallInfo", "CallAttendance", "Me"}


@pytest.fixture
async def service(demo_database_url: str) -> AsyncIterator[WholeService]:
    async with simulated(None) as (_, url), whole_service(demo_database_url, url) as ready:
        yield ready


def variables(example: Path) -> dict[str, Any]:
    beside = example.with_suffix(".json")
    given: dict[str, Any] = json.loads(beside.read_text()) if beside.exists() else {}
    return given


def named(name: str) -> Path:
    return next(file for file in EXAMPLES if f" {name}" in file.read_text())


def operation(text: str) -> OperationDefinitionNode:
    (only,) = parse(text).definitions
    assert isinstance(only, OperationDefinitionNode)
    return only


def documented() -> dict[str, str]:
    """The named operations of docs/clients.md."""
    samples = re.findall(r"```graphql\n(.*?)```", (ROOT / "docs" / "clients.md").read_text(), re.DOTALL)
    return {name.value: sample for sample in samples if (name := operation(sample).name) is not None}


async def answer(service: WholeService, text: str, given: dict[str, Any]) -> Any:
    """What alice is answered, of a subscription first."""
    if operation(text).operation.value != "subscription":
        return await service.person(ALICE).data(text, given)
    async with websocket(service.address) as client:
        await client.init(bearer(ALICE))
        await client.subscribe(text, variables=given)
        message = await client.receive()
        assert message["type"] == "next", message
        return message["payload"]["data"]


@pytest.mark.parametrize("example", AT_ONCE, ids=lambda file: file.stem)
async def test_an_example_of_the_console_runs_as_it_stands(service: WholeService, example: Path) -> None:
    for value in (await answer(service, example.read_text(), variables(example))).values():
        assert value


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_the_built_console_has_it(example: Path) -> None:
    """After a change: `npm ci && npm run build` in console/."""
    built = "".join(file.read_text() for file in (ROOT / "console" / "dist" / "assets").glob("index-*.js"))
    beside = example.with_suffix(".json")
    lines = [*example.read_text().splitlines(), *(beside.read_text().splitlines() if beside.exists() else [])]
    assert [line for line in lines if line not in built and line.replace('"', r"\"") not in built] == []


@pytest.mark.parametrize("name", sorted(IN_THE_DOCS))
async def test_an_example_of_the_docs_runs(service: WholeService, name: str) -> None:
    given = {} if name == "Me" else variables(named(name))
    for value in (await answer(service, documented()[name], given)).values():
        assert value


@pytest.mark.parametrize(
    ("parts", "page", "found"),
    [
        ([], {}, [1, 2, 3, 5]),
        ([], {"limit": 2}, [1, 2]),
        ([], {"limit": 2, "offset": 1}, [2, 3]),
        ([{"channel_id": {"_eq": str(GENERAL)}}], {}, [3]),
        ([{"call_participants": {"user_id": {"_eq": str(USER_IDS["bob"])}}}], {}, [1, 2, 3]),
        ([{"created_at": {"_gte": "$after"}}], {}, [1, 2]),
        ([{"created_at": {"_lt": "$after"}}], {}, [3, 5]),
        ([{"created_at": {"_gte": "$after"}}, {"call_participants": {"user_id": {"_eq": str(USER_IDS["dave"])}}}], {}, []),
    ],
)
async def test_each_filter_of_the_history(service: WholeService, parts: list[Any], page: dict[str, int], found: list[int]) -> None:
    assert len(FINISHED) == 5, "the fourth is of others"
    began = 'query { nchat_calls_by_pk(id: "00000000-0000-4000-8000-000000000202") { created_at } }'
    second = (await service.person(ALICE).data(began))["nchat_calls_by_pk"]["created_at"]
    where = json.loads(json.dumps({"_and": parts}).replace("$after", second))
    for text in (documented()["CallHistory"], named("CallHistory").read_text()):
        told = await answer(service, text, {"where": where, **page})
        assert [int(row["id"][-3:]) - 200 for row in told["nchat_calls"]] == found
        assert told["nchat_calls_aggregate"]["aggregate"]["count"] >= len(found)


async def test_the_attendance_of_the_demo(service: WholeService) -> None:
    talked = FINISHED[2].talked
    assert talked is not None
    told = await answer(service, documented()["CallAttendance"], variables(named("CallAttendance")))
    assert [one["seconds"] for one in told["callAttendance"]] == [talked.total_seconds()] * len(FINISHED[2].people)
