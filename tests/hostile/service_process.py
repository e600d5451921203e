"""The service as a process over a database that a test takes away."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from devstack.demo_data import USER_IDS
from devstack.ports import free_port
from tests.hostile.attacked_service import environment
from tests.support.waiting import eventually
from tests.support.whole_service import bearer

COMMAND = str(Path(sys.executable).with_name("nchat-rtc"))
ALICE = bearer(USER_IDS["alice"])
QUERY = {"query": "{ nchat_users(limit: 1) { id } }"}


@asynccontextmanager
async def started(database_url: str, output: Path, workers: int, **settings: object) -> AsyncIterator[tuple[str, Process]]:
    """`nchat-rtc serve` as a process, and its address; it may not serve yet."""
    port = free_port()
    with output.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(COMMAND, "serve", "--port", str(port), "--workers", str(workers)),
            env=environment(database_url, settings),
            stdout=log,
            stderr=log,
        )
    try:
        yield f"127.0.0.1:{port}", process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def serving(database_url: str, output: Path, workers: int, **settings: object) -> AsyncIterator[tuple[str, Process]]:
    """The same, all workers up and asked once: one that still begins when the database is taken away can't start."""
    async with started(database_url, output, workers, **settings) as (address, process):

        async def answers() -> bool:
            said = output.read_text()
            assert process.returncode is None, said
            if said.count('"event": "serving"') < workers:
                return False
            try:
                async with httpx2.AsyncClient(timeout=5) as http:
                    return (await http.post(f"http://{address}/v1/graphql", json=QUERY, headers=ALICE)).is_success
            except httpx2.TransportError:
                return False

        await eventually(answers, seconds=90)
        yield address, process
