"""`/healthz` says that this process serves; `/readyz` looks at everything it needs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.telemetry.version import VERSION
from resolvers.run.database_refusals import refusal
from resolvers.sql.database import DatabaseError

log = structlog.get_logger(__name__)

CHECK_TIMEOUT = 2.0
# Seconds: whoever asks sooner gets the same answer, for anybody may ask.
KEPT_FOR = 1.0


@dataclass(frozen=True, slots=True)
class Check:
    """One dependency; `look` raises when it is not well. Without an `essential` one the process should get no traffic."""

    name: str
    look: Callable[[], Awaitable[object]]
    essential: bool = True


def health_routes(checks: Sequence[Check]) -> list[BaseRoute]:
    """`GET /healthz` and `GET /readyz`, without authentication; neither shows an address or an error's text.

    `/readyz` is 200 with status `ready`, 200 `degraded` when something is missing that the service can do without for a
    while (calls can't get media, but everything else works), and 503 `unavailable`.
    """
    readiness = _Readiness(checks)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("OK")

    async def readyz(_request: Request) -> Response:
        body = await readiness.told()
        return JSONResponse(body, 503 if body["status"] == "unavailable" else 200, headers={"Cache-Control": "no-store"})

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


class _Readiness:
    """One look serves all who ask meanwhile and shortly after: however many they are, a dependency feels no more than one."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks
        self._look: asyncio.Task[dict[str, Any]] | None = None
        self._fresh_until = 0.0

    async def told(self) -> dict[str, Any]:
        if self._look is None or (self._look.done() and time.monotonic() >= self._fresh_until):
            self._look = asyncio.create_task(self._all(), context=Context())
        return await asyncio.shield(self._look)

    async def _all(self) -> dict[str, Any]:
        results = await asyncio.gather(*(_result(check) for check in self._checks))
        failed = [check for check, result in zip(self._checks, results, strict=True) if not result["ok"]]
        status = "unavailable" if any(check.essential for check in failed) else "degraded" if failed else "ready"
        self._fresh_until = time.monotonic() + KEPT_FOR
        told = {check.name: result for check, result in zip(self._checks, results, strict=True)}
        return {"status": status, "version": VERSION, "checks": told}


async def _result(check: Check) -> dict[str, Any]:
    began = time.perf_counter()
    task = asyncio.ensure_future(check.look())
    done, _ = await asyncio.wait({task}, timeout=CHECK_TIMEOUT)
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    if not done:
        task.cancel()
    error = "timeout" if not done else _word(task.exception())
    if error is None:
        return {"ok": True, "milliseconds": milliseconds}
    log.warning("not_ready", check=check.name, error=error)
    return {"ok": False, "error": error, "milliseconds": milliseconds}


def _word(error: BaseException | None) -> str | None:
    """PostgreSQL's errors by the code that clients get for them, others by their kind."""
    if isinstance(error, DatabaseError) and (refused := refusal(error)) is not None:
        return refused.code
    return None if error is None else type(error).__name__
