"""The two targets, and the gateway on each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from app.livekit.room_gateway import LiveKitRooms, connect
from app.livekit.room_settings import RoomTimeouts
from app.livekit.webhook_endpoint import PATH
from devstack import livekit_server
from devstack.livekit_server import LiveKitServer
from devstack.ports import free_port
from tests.livekit.targets import KEY, SECRET, Target, real_target, simulated_target


@pytest.fixture(scope="session")
def webhook_port() -> int:
    """Where the session's real server sends its webhooks."""
    return free_port()


@pytest.fixture(scope="session")
def real_server(webhook_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    """A real livekit-server, one per test process."""
    if livekit_server.find_binary() is None:
        pytest.skip(livekit_server.NOT_FOUND)
    log = tmp_path_factory.mktemp("livekit") / "livekit.log"
    url = f"http://127.0.0.1:{webhook_port}{PATH}"
    server = livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=url, log=log, room={"max_participants": 0})
    yield server
    server.stop()


@pytest.fixture(params=["simulator", "real"])
async def target(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Target]:
    """The same test on the simulator and on a real livekit-server."""
    if request.param == "simulator":
        async with simulated_target() as simulated:
            yield simulated
    else:
        async with real_target(request.getfixturevalue("real_server"), request.getfixturevalue("webhook_port")) as real:
            yield real


@pytest.fixture
async def rooms(target: Target) -> AsyncIterator[LiveKitRooms]:
    """The gateway, connected to the target."""
    async with connect(target.url, KEY, SECRET, timeouts=RoomTimeouts(empty=60, departure=30)) as gateway:
        yield gateway
