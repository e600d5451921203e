"""What the log says of a job that fails."""

import logging

import asyncpg
import pytest

from app.jobs.supervision import attempt
from resolvers.sql.database import DatabaseError

pytestmark = pytest.mark.anyio

AWAY = [
    DatabaseError("08006", "connection error"),
    asyncpg.CannotConnectNowError("the database system is in recovery mode"),
    ConnectionRefusedError(),
    ExceptionGroup("two rooms", [DatabaseError("57P01", "terminating connection"), ExceptionGroup("one", [OSError()])]),
]


@pytest.mark.parametrize("failure", AWAY)
async def test_a_server_that_is_away_is_one_line(caplog: pytest.LogCaptureFixture, failure: Exception) -> None:
    async def work() -> None:
        raise failure

    assert not await attempt("reconcile", work)
    (line,) = caplog.records
    assert (line.levelno, line.exc_info, vars(line)["job"]) == (logging.WARNING, None, "reconcile")


@pytest.mark.parametrize("failure", [ZeroDivisionError(), ExceptionGroup("two", [OSError(), ZeroDivisionError()])])
async def test_a_fault_of_ours_has_its_traceback(caplog: pytest.LogCaptureFixture, failure: Exception) -> None:
    async def work() -> None:
        raise failure

    assert not await attempt("reconcile", work)
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert line.exc_info is not None
    assert line.exc_info[1] is failure
