"""Failures that are no fault of our code: a server that is away, cut off or full. They need one line, never a traceback."""

from collections.abc import Iterator
from typing import Final

import asyncpg

from domain.ports import MediaError
from resolvers.sql.database import DatabaseError

# Classes of SQLSTATE: connections, a server that takes no writes, a database that is being made anew, others in the way, resources,
# locks, shutdown, the system below it.
# What else PostgreSQL refuses, a syntax error for one, is a fault of the statement and so of ours.
_AWAY: Final = ("08", "25006", "3D000", "40", "53", "55", "57", "58")


def is_away(failure: BaseException) -> bool:
    """Whether nothing but that is behind the failure, or behind all of a group."""
    return all(_is_away(one) for one in _each(failure))


def _is_away(failure: BaseException) -> bool:
    state = getattr(failure, "sqlstate", None)
    if isinstance(failure, DatabaseError | asyncpg.PostgresError) and isinstance(state, str):
        return state.startswith(_AWAY)
    # asyncpg has no better word than the last for a connection that was cut in the middle of a statement.
    return isinstance(failure, asyncpg.PostgresError | asyncpg.InterfaceError | OSError | MediaError | asyncpg.InternalClientError)


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
