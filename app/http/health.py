"""`/healthz` says that this process serves; `/readyz` looks at everything it needs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

log = structlog.get_logger(__name__)

CHECK_TIMEOUT = 2.0


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

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("OK")

    async def readyz(_request: Request) -> Response:
        results = await asyncio.gather(*(_result(check) for check in checks))
        failed = [check for check, result in zip(checks, results, strict=True) if not result["ok"]]
        unavailable = any(check.essential for check in failed)
        status = "unavailable" if unavailable else "degraded" if failed else "ready"
        body = {"status": status, "checks": {check.name: result for check, result in zip(checks, results, strict=True)}}
        return JSONResponse(body, 503 if unavailable else 200, headers={"Cache-Control": "no-store"})

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


async def _result(check: Check) -> dict[str, Any]:
    began = time.perf_counter()
    task = asyncio.ensure_future(check.look())
    done, _ = await asyncio.wait({task}, timeout=CHECK_TIMEOUT)
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    if not done:
        task.cancel()
        return {"ok": False, "error": "timeout", "milliseconds": milliseconds}
    if (error := task.exception()) is not None:
        log.warning("not_ready", check=check.name, error=type(error).__name__)
        return {"ok": False, "error": type(error).__name__, "milliseconds": milliseconds}
    return {"ok": True, "milliseconds": milliseconds}
