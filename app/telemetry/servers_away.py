"""Failures that are no fault of our code: a server that is away, cut off or full. They need one line, never a traceback."""

from collections.abc import Iterator
from typing import Final

import asyncpg

from resolvers.sql.database import DatabaseError

# PostgreSQL restarts, is full, refuses, or can't be reached.
AWAY: Final = (DatabaseError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def is_away(failure: BaseException) -> bool:
    """Whether nothing but that is behind the failure, or behind all of a group."""
    return all(isinstance(one, AWAY) for one in _each(failure))


def facts(failure: BaseException) -> dict[str, str]:
    """What a line says of it: the kind of error and PostgreSQL's state, never a text that may hold an address or a value."""
    first = next(_each(failure))
    state = getattr(first, "sqlstate", None)
    return {"error": type(first).__name__} | ({"sqlstate": state} if isinstance(state, str) else {})


def _each(failure: BaseException) -> Iterator[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        for one in failure.exceptions:
            yield from _each(one)
    else:
        yield failure
