"""The service as it is deployed, in a process of its own, and what may be said of it while somebody attacks it."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import orjson

from devstack.demo_data import USER_IDS
from devstack.ports import free_port
from tests.hostile.neighbours import QUESTIONS, Neighbour
from tests.support.development import OUR_VARIABLES
from tests.support.forked_commands import ForkedCommand, ForkedCommands
from tests.support.waiting import eventually
from tests.support.whole_service import ADMIN_SECRET, JWT_SECRET, KEY, SECRET, bearer

# What a good neighbour may feel: this many times the quiet time, at least a floor; never longer; and the service's growth.
TIMES_QUIET, FLOOR_SECONDS, LONGEST_SECONDS, GROWTH_BYTES = 5, 0.15, 1.5, 150 << 20


@dataclass(frozen=True, slots=True)
class AttackedService:
    """One service process, and who may live beside its attackers."""

    url: str
    port: int
    process: ForkedCommand
    output: Path
    neighbour: Neighbour

    def bearer(self, name: str) -> dict[str, str]:
        """The headers of a demo user, by name."""
        return bearer(USER_IDS[name], "moderator" if name == "mod" else "user")

    @asynccontextmanager
    async def good_neighbour(self) -> AsyncIterator[None]:
        """The attack is the block; raises AssertionError when the other user felt it too much, or the service grew too large."""
        alice = self.bearer("alice")["authorization"]
        async with self.neighbour.lives_at(self.url, self.process.pid, alice) as quiet:
            yield
            felt = await self.neighbour.feels(QUESTIONS)
        grown = felt.resident - quiet.resident
        figures = (
            f"quiet p95 {quiet.p95 * 1000:.0f} ms; attacked: {felt.asked} questions, p95 {felt.p95 * 1000:.0f} ms, "
            f"longest {felt.longest * 1000:.0f} ms, {grown >> 20} MiB more"
        )
        print(figures)  # noqa: T201 - shown by `pytest -s` and beside a failure
        assert not felt.failures, f"{felt.failures}\n{figures}\n{self.output.read_text()[-2000:]}"
        assert felt.p95 <= max(TIMES_QUIET * quiet.p95, FLOOR_SECONDS), figures
        assert felt.longest <= LONGEST_SECONDS, figures
        assert grown <= GROWTH_BYTES, figures


@dataclass(frozen=True, slots=True)
class AttackedServices:
    """Starts them, over the demo data of `database_url`."""

    commands: ForkedCommands
    neighbour: Neighbour
    database_url: str
    folder: Path

    @asynccontextmanager
    async def open(self, **settings: object) -> AsyncIterator[AttackedService]:
        """`nchat-rtc serve` with its defaults, apart from `settings` by their names; alice is the neighbour."""
        port = free_port()
        url, output = f"http://127.0.0.1:{port}", self.folder / f"service-{port}.log"
        process = self.commands.run(["serve", "--port", str(port)], environment(self.database_url, settings), output)
        try:
            await eventually(lambda: _answers(process, url, output), seconds=60)
            yield AttackedService(url, port, process, output, self.neighbour)
        finally:
            await process.end()


def environment(database_url: str, settings: Mapping[str, object]) -> dict[str, str]:
    """Ours without settings, and those of a deployment without media."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(OUR_VARIABLES)}
    given: dict[str, object] = {
        "database_url": database_url,
        "jwt_secret": orjson.dumps({"type": "HS256", "key": JWT_SECRET}).decode(),
        "admin_secret": ADMIN_SECRET,
        "unauthorized_role": "anonymous",
        "livekit_enabled": "false",
        "livekit_api_key": KEY,
        "livekit_api_secret": SECRET,
    }
    return bare | {f"NCHAT_{name.upper()}": str(value) for name, value in {**given, **settings}.items()}


async def _answers(process: ForkedCommand, url: str, output: Path) -> bool:
    assert process.running, output.read_text()
    try:
        async with httpx2.AsyncClient(base_url=url, timeout=2) as http:
            return (await http.get("/healthz")).is_success
    except httpx2.TransportError:
        return False
