"""`/healthz` and `/readyz`: what is well, what is not, and nothing that a stranger could use."""

import asyncio

import httpx2
import pytest
from starlette.applications import Starlette

from app.http import health
from app.http.health import Check, health_routes

pytestmark = pytest.mark.anyio


async def well() -> None:
    """Nothing is wrong."""


async def broken() -> None:
    raise ConnectionError("postgresql://user:password@host")


async def ask(path: str, *checks: Check) -> httpx2.Response:
    app = Starlette(routes=health_routes(checks))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://service") as http:
        return await http.get(path)


async def test_healthz_looks_at_nothing() -> None:
    answer = await ask("/healthz", Check("database", broken))
    assert (answer.status_code, answer.text) == (200, "OK")


async def test_ready() -> None:
    answer = await ask("/readyz", Check("database", well), Check("redis", well))
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert set(answer.json()["checks"]) == {"database", "redis"}


async def test_unavailable_without_something_essential_and_without_its_address() -> None:
    answer = await ask("/readyz", Check("database", broken), Check("redis", well))
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["checks"]["database"]["error"] == "ConnectionError"
    assert "password" not in answer.text


async def test_degraded_without_something_it_can_miss() -> None:
    answer = await ask("/readyz", Check("database", well), Check("livekit", broken, essential=False))
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["livekit"]["ok"] is False


async def test_a_dependency_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_TIMEOUT", 0.05)
    cancelled = asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    answer = await ask("/readyz", Check("database", hangs))
    assert (answer.status_code, answer.json()["checks"]["database"]["error"]) == (503, "timeout")
    await asyncio.wait_for(cancelled.wait(), 5)
