"""SIGTERM while the database stands still: the service is gone in time, in order, and says so with exit status 0."""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from uvicorn.config import STARTUP_FAILURE

from tests.hostile.freezing_proxy import FreezingProxy, freezing_proxy
from tests.hostile.scale import scaled
from tests.hostile.service_process import ALICE, QUERY, serving, started
from tests.support.valkey import broker
from tests.support.waiting import within
from tests.transport.fakes import Client, websocket

pytestmark = pytest.mark.anyio

# Seconds; a machine that runs other tests besides takes its time for the end of three interpreters.
WITHIN = scaled(8, 12)
LIVE = "subscription { nchat_users(limit: 1) { id } }"


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
    await within(process.wait(), 60)
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


async def test_a_start_that_meets_it_ends_with_a_sentence(demo_database_url: str, tmp_path: Path) -> None:
    """By itself, and so within the time of a signal as well."""
    output = tmp_path / "service.log"
    async with freezing_proxy(demo_database_url) as (proxy, url):
        proxy.freeze()
        async with started(url, output, 1) as (_, process):
            await within(process.wait(), 60)
    said = output.read_text()
    assert process.returncode == STARTUP_FAILURE, said
    assert "takes connections and does not answer" in said
    assert "Traceback" not in said


async def test_a_frozen_broker_delays_no_end_either(demo_database_url: str, tmp_path: Path) -> None:
    output = tmp_path / "service.log"
    with broker(tmp_path) as redis:
        async with serving(demo_database_url, output, 1, redis_url=redis.url) as (address, process), listening(address) as client:
            redis.freeze()
            seconds = await ends(process)
            code, _ = await client.closed()
    figures = f"{seconds:.1f} s\n{output.read_text()}"
    assert (process.returncode, code) == (0, 1012), figures
    assert seconds <= WITHIN, figures
    assert "Traceback" not in figures
