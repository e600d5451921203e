"""What the log says of a job that fails."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import asyncpg
import pytest

from app.jobs.supervision import Supervisor, wait_for
from app.telemetry.log_context import add_mark
from resolvers.sql.database import DatabaseError
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio

AWAY = [
    DatabaseError("08006", "connection error"),
    asyncpg.DiskFullError("could not extend file"),
    asyncpg.CannotConnectNowError("the database system is in recovery mode"),
    asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress"),
    ConnectionRefusedError(),
    ExceptionGroup("two rooms", [DatabaseError("57P01", "terminating connection"), ExceptionGroup("one", [OSError()])]),
]


@pytest.mark.parametrize("failure", AWAY)
async def test_a_server_that_is_away_is_one_line(log_lines: LogLines, failure: Exception) -> None:
    async def work() -> None:
        raise failure

    assert not await Supervisor().attempt("reconcile", work)
    (line,) = log_lines
    assert (line["event"], line["log_level"], line["job"]) == ("job_waits", "warning", "reconcile")
    assert "exc_info" not in line


async def test_an_outage_is_one_line_and_its_end_another(log_lines: LogLines) -> None:
    """However often the job tries, and for each job by itself."""
    supervisor = Supervisor()
    is_away = True

    async def work() -> None:
        if is_away:
            raise AWAY[0]

    for _ in range(3):
        await supervisor.attempt("reconcile", work)
        await supervisor.attempt("timeouts", work)
    is_away = False
    for _ in range(2):
        await supervisor.attempt("reconcile", work)
    is_away = True
    await supervisor.attempt("reconcile", work)
    assert [(line["event"], line["job"]) for line in log_lines] == [
        ("job_waits", "reconcile"),
        ("job_waits", "timeouts"),
        ("job_goes_on", "reconcile"),
        ("job_waits", "reconcile"),
    ]


@pytest.mark.parametrize(
    "failure",
    [ZeroDivisionError(), DatabaseError("42703", "column does not exist"), ExceptionGroup("two", [OSError(), ZeroDivisionError()])],
)
async def test_a_fault_of_ours_has_its_traceback(log_lines: LogLines, failure: Exception) -> None:
    async def work() -> None:
        raise failure

    assert not await Supervisor().attempt("reconcile", work)
    (line,) = log_lines
    assert (line["event"], line["log_level"], line["job"]) == ("job_failed", "error", "reconcile")
    assert line["exc_info"] is failure


async def test_every_line_of_a_job_names_it() -> None:
    async def work() -> None:
        lines.append(add_mark(None, "info", {"event": "something_else"}))

    lines: list[MutableMapping[str, Any]] = []
    await Supervisor().attempt("reconcile", work)
    assert lines == [{"event": "something_else", "job": "reconcile"}]
    assert add_mark(None, "info", {"event": "later"}) == {"event": "later"}


async def test_a_wait_that_is_cancelled_as_its_signal_comes_is_cancelled() -> None:
    """Or a loop of the service would go on after it was told to end."""
    signal = asyncio.Event()
    waiting = asyncio.create_task(wait_for(signal, 60))
    await asyncio.sleep(0)
    signal.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
