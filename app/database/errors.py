"""Errors of asyncpg, also in SQLAlchemy's wrapping, as the engine's DatabaseError: PostgreSQL's own SQLSTATE and message."""

from types import TracebackType

import asyncpg
import sqlalchemy as sa

from resolvers.sql.database import DatabaseError

CONNECTION_FAILURE = "08006"
QUERY_CANCELED = "57014"
INVALID_TEXT = "22021"
# The server went away before or while it answered: connection errors, and shutdown by the administrator or a crash.
CONNECTION_LOST = frozenset({"08000", "08003", CONNECTION_FAILURE, "57P01", "57P02", "57P03"})


class as_database_error:  # noqa: N801 - it is used as a function is
    """Whatever asyncpg and SQLAlchemy raise inside leaves as a DatabaseError.

    A class of its own: a generator's context costs each statement as much as its place in the pool.
    """

    __slots__ = ("_statement",)

    def __init__(self, statement: str | None = None) -> None:
        self._statement = statement

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, Exception):
            cause = _unwrapped(error)
            told = _told(cause, self._statement)
            if told is not None:
                raise told from cause


def _told(error: Exception, statement: str | None) -> DatabaseError | None:
    match error:
        case asyncpg.PostgresError():
            if isinstance(error.__cause__, UnicodeEncodeError):
                # Refused before it was sent, with a text of its own: say it as PostgreSQL would.
                return DatabaseError(INVALID_TEXT, 'invalid byte sequence for encoding "UTF8"')
            told = {"detail": _field(error, "detail"), "hint": _field(error, "hint"), "statement": statement}
            return DatabaseError(error.sqlstate or CONNECTION_FAILURE, _message(error), **told)
        case TimeoutError():
            return DatabaseError(QUERY_CANCELED, "the database took too long to answer")
        case asyncpg.InterfaceError() | asyncpg.InternalClientError() | OSError():
            return DatabaseError(CONNECTION_FAILURE, "connection error")
    return None


def _unwrapped(error: Exception) -> Exception:
    """SQLAlchemy wraps what asyncpg raised twice; a programming error of ours has nothing of asyncpg inside."""
    match error:
        case sa.exc.TimeoutError():
            return TimeoutError()
        case sa.exc.DBAPIError():
            cause = error.orig.__cause__ if error.orig is not None else None
            if isinstance(cause, asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError | OSError):
                # With its own cause, which says what was wrong with a value.
                return cause
            if error.connection_invalidated:
                return ConnectionError()
    return error


def _message(error: asyncpg.PostgresError) -> str:
    """The primary message: DETAIL shows values of rows that the caller may not see."""
    return _field(error, "message") or str(error.args[0] if error.args else error)


def _field(error: asyncpg.PostgresError, name: str) -> str | None:
    value = getattr(error, name, None)
    return value if isinstance(value, str) else None
