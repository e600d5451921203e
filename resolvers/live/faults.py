"""What PostgreSQL refuses, told as an answer: each fault once, however many sessions of a cohort meet it."""

from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

from permissions.errors import GraphQLRefusal
from resolvers.run.database_refusals import refusal
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import DatabaseError

# Hears of each new fault, which those who follow are told of as their answer.
Report = Callable[[GraphQLRefusal], None]
# Classes of SQLSTATE that tell of the server and not of what one session asks.
_SERVERS: Final = ("08", "3D000", "53", "57P", "58")


def unreported(_refusal: GraphQLRefusal) -> None:
    """The default: nobody hears of it."""


def is_servers(error: DatabaseError) -> bool:
    """Whether all who ask now would hear the same."""
    return error.sqlstate.startswith(_SERVERS)


class Fault:
    """One refusal, as long as somebody has it for an answer."""

    __slots__ = ("__weakref__", "body")

    def __init__(self, body: bytes) -> None:
        self.body = body


class Faults:
    """Those that somebody of a cohort has now. The same one again is the same answer, though `unexpected` would give it a new id."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._known: WeakValueDictionary[tuple[str, str], Fault] = WeakValueDictionary()

    def of(self, error: DatabaseError) -> Fault:
        """The answer to those who met this error; reported when nobody has it yet."""
        key = (error.sqlstate, error.message)
        fault = self._known.get(key)
        if fault is None:
            refused = refusal(error) or unexpected(error)
            self._report(refused)
            fault = self._known[key] = Fault(refused.body())
        return fault
