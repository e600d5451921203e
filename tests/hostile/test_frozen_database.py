"""SIGTERM while the database stands still: the service is gone in time, in order, and says so with exit status 0."""

import asyncio
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from devstack.demo_data import USER_IDS
from devstack.processes import free_port
from tests.hostile.attacked_service import environment
from tests.hostile.freezing_proxy import FreezingProxy, freezing_proxy
from tests.hostile.scale import scaled
from tests.support.waiting import eventually
from tests.support.whole_service import bearer
from tests.transport.fakes import Client, websocket

pytestmark = pytest.mark.anyio

COMMAND = str(Path(sys.executable).with_name("nchat-rtc"))
# Seconds; a machine that runs other tests besides takes its time for the end of three interpreters.
WITHIN = scaled(8, 12)
ALICE = bearer(USER_IDS["alice"])
QUERY = {"query": "{ nchat_users(limit: 1) { id } }"}
LIVE = "subscription { nchat_users(limit: 1) { id } }"


@asynccontextmanager
async def serving(database_url: str, output: Path, workers: int) -> AsyncIterator[tuple[str, Process]]:
    """`nchat-rtc serve` as a process, up and asked once."""
    port = free_port()
    with output.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(COMMAND, "serve", "--port", str(port), "--workers", str(workers)),
            env=environment(database_url, {}),
            stdout=log,
            stderr=log,
        )
    address = f"127.0.0.1:{port}"

    async def answers() -> bool:
        assert process.returncode is None, output.read_text()
        try:
            async with httpx2.AsyncClient(timeout=5) as http:
                return (await http.post(f"http://{address}/v1/graphql", json=QUERY, headers=ALICE)).is_success
        except httpx2.TransportError:
            return False

    try:
        await eventually(answers, seconds=90)
        yield address, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def listening(address: str) -> AsyncIterator[Client]:
    """A live query that has had its first answer."""
    async with websocket(address) as client:
        await client.init(ALICE)
        await client.subscribe(LIVE)
        assert (await client.receive())["type"] == "next"
        yield client


@asynccontextmanager
async def asking(address: str, proxy: FreezingProxy) -> AsyncIterator[None]:
    """Requests that wait for the database."""
    async with httpx2.AsyncClient(timeout=60) as http:
        asked = [asyncio.create_task(http.post(f"http://{address}/v1/graphql", json=QUERY, headers=ALICE)) for _ in range(3)]
        await proxy.someone_waits.wait()
        yield
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def ends(process: Process) -> float:
    """Seconds from SIGTERM to the end."""
    began = time.monotonic()
    process.terminate()
    await asyncio.wait_for(process.wait(), 60)
    return time.monotonic() - began


@pytest.mark.parametrize("workers", [1, 2])
async def test_it_is_gone_in_time_and_in_order(demo_database_url: str, tmp_path: Path, workers: int) -> None:
    output = tmp_path / "service.log"
    async with (
        freezing_proxy(demo_database_url) as (proxy, url),
        serving(url, output, workers) as (address, process),
        listening(address) as client,
    ):
        proxy.freeze()
        async with asking(address, proxy):
            seconds = await ends(process)
            code, _ = await client.closed()
    said = output.read_text()
    figures = f"{seconds:.1f} s, exit status {process.returncode}, websocket closed with {code}\n{said}"
    print(figures)  # noqa: T201 - shown by `pytest -s` and beside a failure
    assert (process.returncode, code) == (0, 1012), figures
    assert seconds <= WITHIN, figures
    assert "Traceback" not in said
