"""A ringing and a running call, with LiveKit in the test's hands; and the world on a real livekit-server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import asyncpg
import pytest
from starlette.applications import Starlette

from app.adapters.clock import SystemClock
from app.jobs import start_jobs
from app.livekit.join_tokens import LiveKitJoinTokens
from app.livekit.room_gateway import connect
from app.livekit.webhook_endpoint import PATH, LiveKitWebhooks
from app.livekit.webhook_signature import WebhookSignatures
from devstack import livekit_server
from devstack.livekit_server import LiveKitServer
from devstack.ports import free_port
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from tests.life_cycle.live_service import KEY, SECRET, LiveService
from tests.life_cycle.running_call import Running
from tests.livekit.serving import serving
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, Setup, session
from tests.support.telling_rooms import TellingRoom


@pytest.fixture
async def on(on: Setup) -> AsyncIterator[Setup]:
    """Afterwards every call's history must be valid."""
    yield on
    for row in await on.database.fetch("SELECT id FROM nchat_calls"):
        assert_valid_history(await on.events(row["id"]))


@pytest.fixture
async def ringing(on: Setup) -> Running:
    """alice calls bob."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB]))
    return Running(on, started.call_id, TellingRoom(on, started.room_name))


@pytest.fixture
async def direct(on: Setup, ringing: Running) -> Running:
    """alice and bob talk."""
    await accept_call(on.world, session(BOB), ringing.id)
    for user_id in (ALICE, BOB):
        await ringing.room.join(user_id, "microphone")
    return ringing


@pytest.fixture
async def group(on: Setup) -> Running:
    """alice, bob and carol talk in the channel; alice hosts."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB, CAROL], channel_id=GENERAL))
    running = Running(on, started.call_id, TellingRoom(on, started.room_name))
    for user_id in (BOB, CAROL):
        await accept_call(on.world, session(user_id), started.call_id)
    for user_id in (ALICE, BOB, CAROL):
        await running.room.join(user_id, "microphone")
        on.clock.advance(0.001)  # who came first is told by the time
    return running


@pytest.fixture
async def channel(on: Setup) -> Running:
    """alice started a call in the channel that rings nobody."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", channel_id=GENERAL))
    return Running(on, started.call_id, TellingRoom(on, started.room_name))


@pytest.fixture(scope="module")
def webhook_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(webhook_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    if livekit_server.find_binary() is None:
        pytest.skip(livekit_server.NOT_FOUND)
    log = tmp_path_factory.mktemp("livekit") / "livekit.log"
    running = livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=f"http://127.0.0.1:{webhook_port}{PATH}", log=log)
    yield running
    running.stop()


@pytest.fixture
async def service(on: Setup, server: LiveKitServer, webhook_port: int) -> AsyncIterator[LiveService]:
    async with AsyncExitStack() as stack:
        rooms = await stack.enter_async_context(connect(server.url, KEY, SECRET))
        clock = SystemClock()
        tokens = LiveKitJoinTokens(KEY, SECRET, ttl=600, clock=clock)
        world = replace(on.world, rooms=rooms, clock=clock, tokens=tokens)
        ready = LiveService(on, world, rooms, server.ws_url)
        jobs = await start_jobs(world, await stack.enter_async_context(asyncpg.create_pool(on.url, min_size=1, max_size=2)))
        stack.push_async_callback(jobs.stop)
        endpoint = LiveKitWebhooks(WebhookSignatures({KEY: SECRET}), ready.receive, jobs.wake)
        await stack.enter_async_context(serving(Starlette(routes=[endpoint.route()]), webhook_port))
        yield ready
        await asyncio.gather(*(client.disconnect() for client in ready.clients))
