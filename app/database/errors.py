"""Errors of asyncpg, also in SQLAlchemy's wrapping, as the engine's DatabaseError: PostgreSQL's own SQLSTATE and message."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import sqlalchemy as sa

from resolvers.sql.database import DatabaseError

CONNECTION_FAILURE = "08006"
QUERY_CANCELED = "57014"
INVALID_TEXT = "22021"
# The server went away before or while it answered: connection errors, and shutdown by the administrator or a crash.
CONNECTION_LOST = frozenset({"08000", "08003", CONNECTION_FAILURE, "57P01", "57P02", "57P03"})


@contextmanager
def as_database_error(statement: str | None = None) -> Iterator[None]:
    """Whatever asyncpg and SQLAlchemy raise inside leaves as a DatabaseError."""
    try:
        with _unwrapped():
            yield
    except asyncpg.PostgresError as error:
        if isinstance(error.__cause__, UnicodeEncodeError):
            # Refused before it was sent, with a text of its own: say it as PostgreSQL would.
            raise DatabaseError(INVALID_TEXT, 'invalid byte sequence for encoding "UTF8"') from error
        told = {"detail": _field(error, "detail"), "hint": _field(error, "hint"), "statement": statement}
        raise DatabaseError(error.sqlstate or CONNECTION_FAILURE, _message(error), **told) from error
    except TimeoutError as error:
        raise DatabaseError(QUERY_CANCELED, "the database took too long to answer") from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise DatabaseError(CONNECTION_FAILURE, "connection error") from error


@contextmanager
def _unwrapped() -> Iterator[None]:
    """SQLAlchemy wraps what asyncpg raised twice; a programming error of ours has nothing of asyncpg inside."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise TimeoutError from error
    except sa.exc.DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if isinstance(cause, asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError | OSError):
            # With its own cause, which says what was wrong with a value.
            raise cause from cause.__cause__
        if error.connection_invalidated:
            raise ConnectionError from error
        raise


def _message(error: asyncpg.PostgresError) -> str:
    """The primary message: DETAIL shows values of rows that the caller may not see."""
    return _field(error, "message") or str(error.args[0] if error.args else error)


def _field(error: asyncpg.PostgresError, name: str) -> str | None:
    value = getattr(error, name, None)
    return value if isinstance(value, str) else None
