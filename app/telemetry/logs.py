"""Log lines of the service, its libraries and uvicorn in one form: JSON for machines, text for a terminal."""

import asyncio
import logging
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any, Literal

import structlog
from structlog.typing import Processor

from app.telemetry.log_context import add_mark
from app.telemetry.secrets_in_lines import hide_secrets
from app.telemetry.servers_away import facts, is_away

# Their lines hold what we never log: request lines with query strings, statements, URLs with credentials.
_QUIET = ("uvicorn.access", "uvicorn.error", "sqlalchemy", "aiohttp.access", "asyncio", "websockets", "pgqueuer", "alembic")

# While PostgreSQL is away it repeats a traceback with every try; /readyz and the jobs say so in a line.
_SILENT = ("asyncpg.pool",)


def configure_logs(level: str = "info", form: Literal["json", "console"] = "json") -> None:
    """Sets up logging for this process; uvicorn must be started with `log_config=None`."""
    shared: Sequence[Processor] = (
        _calmly,
        add_mark,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_renderers(form)))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)


def _calmly(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Libraries show a traceback for a server that is away and for work that was cancelled; the kind of error says as much in a word."""
    failure = _failure(event.get("exc_info"))
    if failure is not None and (isinstance(failure, asyncio.CancelledError) or is_away(failure)):
        del event["exc_info"]
        event["event"] = str(event["event"]).partition("\n")[0]
        event.update(facts(failure))
    return event


def _failure(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as failure, _):
            return failure
        case True:
            return sys.exc_info()[1]
    return None


def _renderers(form: Literal["json", "console"]) -> list[Processor]:
    # Both tracebacks are Python's own, of files and lines; structlog's and rich's show local variables, and with them headers.
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    )
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, _without_secrets]


def _without_secrets(_logger: Any, _method: str, line: str) -> str:
    return hide_secrets(line)
