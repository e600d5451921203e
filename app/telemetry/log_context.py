"""What a log line belongs to: a request by id and role, or a job by name; never a document, a variable, a token or a header."""

import itertools
import re
import secrets
from collections.abc import MutableMapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, NamedTuple

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_numbers = itertools.count(1)


class RequestMark(NamedTuple):
    request_id: str
    role: str | None = None


class JobMark(NamedTuple):
    job: str


current: ContextVar[RequestMark | JobMark | None] = ContextVar("log_context", default=None)


class marked:  # noqa: N801 - it is used as a function is
    """Lines of the block, and of the tasks that it starts, belong to this. Every request pays for it: a generator's context costs more."""

    __slots__ = ("_before", "_mark")

    def __init__(self, mark: RequestMark | JobMark) -> None:
        self._mark = mark

    def __enter__(self) -> None:
        self._before: Token[RequestMark | JobMark | None] = current.set(self._mark)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        current.reset(self._before)


class RequestIds:
    """Makes ids: a random word per process and a number, cheaper than a uuid and as unique."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(5)

    def of(self, given: str | None) -> str:
        """The caller's own `x-request-id` when it is harmless, otherwise a new one."""
        if given is not None and _ID.fullmatch(given):
            return given
        return f"{self._prefix}-{next(_numbers):x}"


def add_mark(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: what the line belongs to joins it."""
    mark = current.get()
    for name, value in mark._asdict().items() if mark is not None else ():
        if value is not None:
            event.setdefault(name, value)
    return event
