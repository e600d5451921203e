"""The last host's client is killed, or falls silent with its connections open: the recording stops by itself, and the call goes on.

Whole by `make trial-recordings`.
"""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.recordings.conftest import Workers
from tests.recordings.live_call import LiveCall
from tests.support.domain_setup import CAROL, DAVE, newcomers
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180), pytest.mark.skipif(not WHOLE, reason="a minute each: make trial-recordings")]
# The promise: from the host's being gone, as LiveKit tells, to the end.
STOPS_WITHIN = 35
# LiveKit waits so long for a connection to come back, and then for another.
LIVEKIT_SEES_WITHIN = 45


@asynccontextmanager
async def client(ws_url: str, token: str) -> AsyncIterator[Process]:
    process = await create_subprocess_exec(sys.executable, "-m", "tests.recordings.lone_client", ws_url, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(f"{token}\n".encode())
        assert await process.stdout.readline() == b"in\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_the_last_host_is_gone(live: LiveCall, workers: Workers, how: signal.Signals, request: pytest.FixtureRequest) -> None:
    workers()
    call = LiveCall(live.on, live.world, live.ws_url, host=CAROL)
    hosts, others = await call.ring("audio", DAVE)
    (guest,) = await newcomers(live.on, 1)
    await call.enter(others)
    await call.enter(await call.join(guest))
    async with client(call.ws_url, hosts) as host:
        await call.is_connected()
        recording_id = await call.start()
        await call.becomes(recording_id, "recording")
        began = time.monotonic()
        host.send_signal(how)
        await call.stands(CAROL, "disconnected", seconds=LIVEKIT_SEES_WITHIN)
        gone = time.monotonic()
        await call.becomes(recording_id, "ready", seconds=STOPS_WITHIN)
    stopped = next(event for event in await call.on.events(call.id) if event.kind == "recording_stopped")
    assert stopped.payload["reason"] == "no_host"
    assert (await call.on.call(call.id))["status"] == "connected"
    took = f"LiveKit saw it after {gone - began:.0f} s, the recording was ready {time.monotonic() - gone:.0f} s later"
    request.node.add_report_section("call", "took", took)
    await asyncio.gather(*(person.disconnect() for person in call.people))
