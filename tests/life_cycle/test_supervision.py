"""What the log says of a job that fails."""

from collections.abc import MutableMapping
from typing import Any

import asyncpg
import pytest

from app.jobs.supervision import attempt
from app.telemetry.log_context import add_mark
from resolvers.sql.database import DatabaseError
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio

AWAY = [
    DatabaseError("08006", "connection error"),
    asyncpg.CannotConnectNowError("the database system is in recovery mode"),
    ConnectionRefusedError(),
    ExceptionGroup("two rooms", [DatabaseError("57P01", "terminating connection"), ExceptionGroup("one", [OSError()])]),
]


@pytest.mark.parametrize("failure", AWAY)
async def test_a_server_that_is_away_is_one_line(log_lines: LogLines, failure: Exception) -> None:
    async def work() -> None:
        raise failure

    assert not await attempt("reconcile", work)
    (line,) = log_lines
    assert (line["event"], line["log_level"], line["job"]) == ("job_waits", "warning", "reconcile")
    assert "exc_info" not in line


@pytest.mark.parametrize("failure", [ZeroDivisionError(), ExceptionGroup("two", [OSError(), ZeroDivisionError()])])
async def test_a_fault_of_ours_has_its_traceback(log_lines: LogLines, failure: Exception) -> None:
    async def work() -> None:
        raise failure

    assert not await attempt("reconcile", work)
    (line,) = log_lines
    assert (line["event"], line["log_level"], line["job"]) == ("job_failed", "error", "reconcile")
    assert line["exc_info"] is failure


async def test_every_line_of_a_job_names_it() -> None:
    async def work() -> None:
        lines.append(add_mark(None, "info", {"event": "something_else"}))

    lines: list[MutableMapping[str, Any]] = []
    await attempt("reconcile", work)
    assert lines == [{"event": "something_else", "job": "reconcile"}]
    assert add_mark(None, "info", {"event": "later"}) == {"event": "later"}
