"""`/healthz` and `/readyz`: what is well, what is not, and nothing that a stranger could use."""

import asyncio
from importlib.metadata import version

import httpx2
import pytest
from starlette.applications import Starlette

from app.http import health
from app.http.health import Check, health_routes
from resolvers.sql.database import DatabaseError
from tests.support.waiting import within

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


async def test_the_version_is_told() -> None:
    assert (await ask("/readyz")).json()["version"] == version("nchat-rtc")


@pytest.mark.parametrize(
    ("sqlstate", "word"), [("53100", "storage-full"), ("53300", "postgres-max-connections-error"), ("08006", "postgres-error")]
)
async def test_postgresql_is_not_well_in_the_words_that_clients_get(sqlstate: str, word: str) -> None:
    async def refuses() -> None:
        raise DatabaseError(sqlstate, "could not extend file base/16384/2619")

    answer = await ask("/readyz", Check("database", refuses))
    assert answer.json()["checks"]["database"]["error"] == word
    assert "base/16384" not in answer.text


async def test_many_who_ask_are_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may ask: what stands behind the check must not feel how many they are."""
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)

    monkeypatch.setattr(health, "KEPT_FOR", 3600)
    app = Starlette(routes=health_routes([Check("database", look)]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://service") as http:
        answers = await asyncio.gather(*(http.get("/readyz") for _ in range(20)))
        answers.append(await http.get("/readyz"))
    assert ({answer.status_code for answer in answers}, looks) == ({200}, 1)


async def test_the_next_look_sees_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_FOR", 0)
    failures = [ConnectionError()]

    async def look() -> None:
        while failures:
            raise failures.pop()

    app = Starlette(routes=health_routes([Check("database", look)]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://service") as http:
        assert [(await http.get("/readyz")).status_code for _ in range(2)] == [503, 200]


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
    await within(cancelled.wait(), 5)
