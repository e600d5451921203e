"""What is counted of each operation, and which of them are told in a line."""

import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import redirect_stderr
from typing import Any

import httpx2
import orjson
import pytest
import structlog

from app.auth import Authenticator
from app.telemetry.logs import configure_logs
from app.telemetry.metrics import Metrics
from app.telemetry.outcomes import LONGEST_NAME, MAX_CODES, SLOW_SECONDS, Outcomes
from permissions.errors import GraphQLRefusal
from resolvers.run.database_refusals import refusal
from resolvers.sql.database import DatabaseError, TookTooLong
from tests.support.log_lines import LogLines
from tests.support.waiting import eventually
from tests.transport.fakes import FakeService, serving, websocket

pytestmark = pytest.mark.anyio

ADMIN = {"x-hasura-admin-secret": "open sesame"}
PATH = "/v1/graphql"
Told = Callable[[str], list[Any]]
Counted = dict[tuple[str, str, str, str], float]


@pytest.fixture
def service() -> FakeService:
    return FakeService(Authenticator(admin_secrets=["open sesame"]))


@pytest.fixture
async def address(service: FakeService) -> AsyncIterator[str]:
    async with serving(service) as found:
        yield found


@pytest.fixture
async def http(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"http://{address}", headers=ADMIN) as client:
        yield client


@pytest.fixture
def json_lines() -> Iterator[Told]:
    """The finished lines of one event, with what they were marked with."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    with redirect_stderr(written):
        configure_logs("info", "json")
    yield lambda event: [line for line in map(orjson.loads, written.getvalue().splitlines()) if line["event"] == event]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def counted(metrics: Metrics) -> Counted:
    """The operations by transport, kind, outcome and fault; those that never happened are left out."""
    samples = [sample for family in metrics.outcomes.collect() for sample in family.samples if sample.name.endswith("_total")]
    return {tuple(sample.labels.values()): sample.value for sample in samples if sample.value}  # type: ignore[misc]


async def test_over_http_by_kind_and_code(service: FakeService, http: httpx2.AsyncClient) -> None:
    for query in ("query q", "mutation m", "mutation m", "mutation fails not-allowed", "mutation fails unexpected", "nonsense"):
        await http.post(PATH, json={"query": query})
    await http.post(PATH, content=b"{")
    await http.post(PATH, json={"query": "query q"}, headers={"x-hasura-admin-secret": "wrong"})
    await http.put(PATH)
    assert counted(service.metrics) == {
        ("http", "query", "ok", "none"): 1,
        ("http", "mutation", "ok", "none"): 2,
        ("http", "mutation", "not-allowed", "client"): 1,
        ("http", "mutation", "unexpected", "ours"): 1,
        ("http", "none", "validation-failed", "client"): 1,
        ("http", "none", "invalid-json", "client"): 1,
        ("http", "none", "access-denied", "client"): 1,
        ("http", "none", "method-not-allowed", "client"): 1,
    }


async def test_a_batch_by_its_members(service: FakeService, http: httpx2.AsyncClient) -> None:
    queries = ("query q", "query q", "mutation m", "mutation fails postgres-error")
    await http.post(PATH, json=[*({"query": query} for query in queries), {"no": "query"}])
    assert counted(service.metrics) == {
        ("http", "query", "ok", "none"): 2,
        ("http", "mutation", "ok", "none"): 1,
        ("http", "mutation", "postgres-error", "server"): 1,
        ("http", "none", "parse-failed", "client"): 1,
    }


async def test_on_a_websocket(service: FakeService, address: str) -> None:
    async with websocket(address) as client:
        await client.init(ADMIN)
        ends = {
            "query q": "complete",
            "mutation fails call-ended": "error",
            "subscription count 2": "complete",
            "subscription lost": "error",
        }
        for query, end in ends.items():
            await client.subscribe(query)
            while (await client.receive())["type"] != end:
                pass
        await client.subscribe("nonsense")
        assert (await client.receive())["type"] == "error"
        await client.send(type="subscribe", id="1", payload={"no": "query"})
        assert (await client.receive())["type"] == "error"
        await client.subscribe("subscription wait")
        await client.receive()
        await client.send(type="complete", id="1")
        await client.subscribe("subscription wait", "2")
        await client.receive()

    async def all_ended() -> bool:
        return sum(counted(service.metrics).values()) == 8

    await eventually(all_ended)
    assert counted(service.metrics) == {
        ("websocket", "query", "ok", "none"): 1,
        ("websocket", "mutation", "call-ended", "client"): 1,
        ("websocket", "subscription", "ok", "none"): 3,
        ("websocket", "subscription", "participant-kicked", "client"): 1,
        ("websocket", "none", "validation-failed", "client"): 1,
        ("websocket", "none", "parse-failed", "client"): 1,
    }


async def test_a_failure_that_is_no_clients_fault_is_one_line(http: httpx2.AsyncClient, json_lines: Told) -> None:
    for code in ("media-unavailable", "postgres-error", "time-limit-exceeded", "unexpected", "not-found", "validation-failed"):
        await http.post(PATH, json={"query": f"mutation fails {code}"}, headers={"x-request-id": f"r-{code}"})
    told = json_lines("operation_failed")
    assert [(line["code"], line["fault"]) for line in told] == [
        ("media-unavailable", "server"),
        ("postgres-error", "server"),
        ("time-limit-exceeded", "server"),
        ("unexpected", "ours"),
    ]
    assert [line["request_id"] for line in told] == [f"r-{line['code']}" for line in told]
    assert {(line["level"], line["kind"], line["operation"], line["transport"], line["role"]) for line in told} == {
        ("warning", "mutation", "Name", "http", "admin")
    }


async def test_and_on_a_websocket(address: str, json_lines: Told) -> None:
    async with websocket(address, additional_headers={"x-request-id": "socket-1"}) as client:
        await client.init(ADMIN)
        await client.subscribe("mutation fails media-unavailable")
        await client.receive()
    (line,) = json_lines("operation_failed")
    assert (line["request_id"], line["transport"], line["operation"]) == ("socket-1", "websocket", "Name")


def test_made_up_codes_make_no_new_series(log_lines: LogLines) -> None:
    metrics = Metrics()
    outcomes = Outcomes(metrics, "http")
    for number in range(MAX_CODES + 5):
        outcomes.refused(GraphQLRefusal(f"code-{number}", "no"))
    outcomes.refused(GraphQLRefusal("code-1", "no"))
    of = counted(metrics)
    assert len(of) == MAX_CODES + 1
    assert (of["http", "none", "other", "client"], of["http", "none", "code-1", "client"]) == (5, 2)
    assert log_lines == []


def test_a_statement_that_takes_too_long_by_itself_wakes_nobody(log_lines: LogLines) -> None:
    metrics = Metrics()
    for error in (
        TookTooLong("the query took longer than 5 s; ask for less"),
        DatabaseError("57014", "the database took too long to answer"),
    ):
        refused = refusal(error)
        assert refused is not None
        Outcomes(metrics, "http").refused(refused)
    assert counted(metrics) == {
        ("http", "none", "time-limit-exceeded", "client"): 1,
        ("http", "none", "time-limit-exceeded", "server"): 1,
    }
    assert [line["sqlstate"] for line in log_lines] == ["57014"]


def test_a_name_without_end_makes_no_line_without_end(log_lines: LogLines) -> None:
    Outcomes(Metrics(), "http").refused(GraphQLRefusal("unexpected", "no", "$." + "a" * 5000, id="1"), "query", "b" * 5000)
    (line,) = log_lines
    assert (len(line["operation"]), len(line["path"])) == (LONGEST_NAME, LONGEST_NAME)


@pytest.mark.parametrize(("seconds", "told"), [(SLOW_SECONDS / 2, 0), (SLOW_SECONDS * 2, 1)])
def test_a_slow_request_is_told(log_lines: LogLines, seconds: float, told: int) -> None:
    Outcomes(Metrics(), "websocket").took(seconds, 7)
    assert [(line["event"], line["transport"], line["bytes"]) for line in log_lines] == [("slow_request", "websocket", 7)] * told


async def test_a_slow_request_names_its_role(http: httpx2.AsyncClient, json_lines: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.telemetry.outcomes.SLOW_SECONDS", -1.0)
    await http.post(PATH, json={"query": "query q"}, headers={"x-request-id": "r-1", "x-hasura-role": "moderator"})
    (line,) = json_lines("slow_request")
    assert (line["request_id"], line["role"]) == ("r-1", "moderator")
