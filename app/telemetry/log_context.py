"""Which request a log line belongs to: an id and a role, never a document, a variable, a token or a header."""

import itertools
import re
import secrets
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, NamedTuple

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_numbers = itertools.count(1)


class RequestMark(NamedTuple):
    request_id: str
    role: str | None = None


current: ContextVar[RequestMark | None] = ContextVar("current_request", default=None)


class RequestIds:
    """Makes ids: a random word per process and a number, cheaper than a uuid and as unique."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(5)

    def of(self, given: str | None) -> str:
        """The caller's own `x-request-id` when it is harmless, otherwise a new one."""
        if given is not None and _ID.fullmatch(given):
            return given
        return f"{self._prefix}-{next(_numbers):x}"


def add_request(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the current request's id and role join the line."""
    if (mark := current.get()) is not None:
        event.setdefault("request_id", mark.request_id)
        if mark.role is not None:
            event.setdefault("role", mark.role)
    return event
