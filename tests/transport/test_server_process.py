"""`nchat-rtc serve` as processes: signals, workers, a port that is taken."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import psutil
import pytest
from uvicorn.config import STARTUP_FAILURE
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from app.connections.farewells import FAREWELL_SECONDS
from app.server import SHUTDOWN_SECONDS
from devstack.ports import free_port
from tests.support.databases import Databases
from tests.support.living_processes import living
from tests.support.waiting import until

COMMAND = Path(sys.executable).with_name("nchat-rtc")
# Each process opens so many connections at once.
POOL_MINIMUM = 4
LISTENERS = 60
OURS = ("NCHAT_", "HASURA_GRAPHQL_", "LIVEKIT_", "DATABASE_URL", "REDIS_URL", "TURN_SECRET", "BACKEND_URL")


class Serve:
    """One `nchat-rtc serve` over metadata without tables."""

    def __init__(self, folder: Path, database_url: str, *, workers: int = 1, port: int | None = None) -> None:
        metadata = folder / "metadata.json"
        metadata.write_bytes(orjson.dumps({"version": 3, "sources": []}))
        self.port = port or free_port()
        self.output = folder / "output"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | {
            "NCHAT_DATABASE_URL": database_url
        }
        command = [str(COMMAND), "serve", "--metadata", str(metadata), "--port", str(self.port), "--workers", str(workers)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        self.tree: list[psutil.Process] = []

    def answers(self, path: str = "/healthz") -> bytes | None:
        assert self.process.poll() is None, self.output.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return bytes(response.read())
        except (urllib.error.URLError, OSError):
            return None

    def wait_until_up(self) -> None:
        until(self.answers, seconds=60)
        self.look_again()

    def look_again(self) -> None:
        """Which processes there are by now."""
        self.tree = [self.supervisor, *self.supervisor.children(recursive=True)]

    @property
    def supervisor(self) -> psutil.Process:
        return psutil.Process(self.process.pid)

    def workers(self) -> set[psutil.Process]:
        return {child for child, command in living(self.supervisor.children()).items() if "spawn_main" in command}

    def is_gone(self) -> bool:
        return not living(self.tree)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        for process in self.tree:
            if process.is_running():
                process.kill()
        self.process.wait(10)


@pytest.fixture
def serve(tmp_path: Path, empty_database_url: str, request: pytest.FixtureRequest) -> Iterator[Serve]:
    server = Serve(tmp_path, empty_database_url, workers=request.param)
    yield server
    server.end()


@pytest.fixture(scope="module")
def lasting(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Two workers for all tests after which there are two again."""
    with databases.temporary() as url:
        server = Serve(tmp_path_factory.mktemp("serve"), url, workers=2)
        try:
            server.wait_until_up()
            yield server
            server.look_again()
        finally:
            server.end()


@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "two workers"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_process(serve: Serve, number: signal.Signals) -> None:
    serve.wait_until_up()
    serve.process.send_signal(number)
    assert serve.process.wait(15) == 0
    until(serve.is_gone, seconds=10)
    assert "Traceback" not in serve.output.read_text()


HEAD = b"POST /v1/graphql HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "two workers"])
def test_half_a_request_does_not_delay_the_end(serve: Serve) -> None:
    serve.wait_until_up()
    with ExitStack() as stack:
        half_sent = [stack.enter_context(socket.create_connection(("127.0.0.1", serve.port))) for _ in range(12)]
        for number, connection in enumerate(half_sent):
            connection.sendall((b"", b"POST /v1/gr", HEAD, HEAD + b"Content-Length: 9\r\n\r\n123")[number % 4])
        assert serve.answers() is not None
        began = time.monotonic()
        serve.process.send_signal(signal.SIGTERM)
        assert serve.process.wait(15) == 0
        # Less than what whole requests are given: nobody waited for these.
        assert time.monotonic() - began < SHUTDOWN_SECONDS
    until(serve.is_gone, seconds=10)
    told = serve.output.read_text()
    assert "Traceback" not in told
    assert "exceeded" not in told


@pytest.mark.parametrize("serve", [1], indirect=True)
def test_all_who_listen_are_told_to_come_back_and_the_process_ends_in_time(serve: Serve) -> None:
    serve.wait_until_up()
    url, subprotocols = f"ws://127.0.0.1:{serve.port}/v1/graphql", [Subprotocol("graphql-ws")]
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(url, subprotocols=subprotocols)) for _ in range(LISTENERS)]
        began = time.monotonic()
        serve.process.send_signal(signal.SIGTERM)
        for socket_ in sockets:
            with pytest.raises(ConnectionClosed):
                socket_.recv(timeout=10)
        assert serve.process.wait(15) == 0
        assert time.monotonic() - began < FAREWELL_SECONDS + SHUTDOWN_SECONDS
    assert {socket_.close_code for socket_ in sockets} == {1012}
    assert "exceeded" not in serve.output.read_text()


@pytest.mark.parametrize("serve", [2], indirect=True)
def test_workers_do_not_outlive_a_supervisor_that_was_killed(serve: Serve) -> None:
    serve.wait_until_up()
    assert len(serve.tree) >= 3
    serve.process.kill()
    serve.process.wait(10)
    until(serve.is_gone, seconds=15)


def test_workers_share_their_metrics(lasting: Serve) -> None:
    url = f"http://127.0.0.1:{lasting.port}/v1/graphql"
    before = metrics_of(lasting)["nchat_graphql_operations_total"]
    for _ in range(6):
        request = urllib.request.Request(url, b'{"query":"{ __typename }"}', {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as response:
            assert response.status == 200

    def of_all_workers() -> bool:
        read = metrics_of(lasting)
        return read["nchat_graphql_operations_total"] == max(before, 0) + 6 and read["nchat_database_connections"] == 2 * POOL_MINIMUM

    until(of_all_workers, seconds=30)
    assert metrics_of(lasting)["nchat_build_info"] == 1


def test_what_a_killed_worker_had_open_is_open_no_more(lasting: Serve) -> None:
    with connect(f"ws://127.0.0.1:{lasting.port}/v1/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        until(lambda: metrics_of(lasting)["nchat_websocket_connections"] == 1)
        killed = lasting.workers()
        for worker in killed:
            worker.kill()
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
    until(lambda: metrics_of(lasting)["nchat_websocket_connections"] == 0, seconds=30)
    until(lambda: len(lasting.workers() - killed) == 2, seconds=30)


def metrics_of(serve: Serve) -> dict[str, float]:
    """Each metric's sum over its labels."""
    sums: dict[str, float] = defaultdict(lambda: -1)
    for line in (serve.answers("/metrics") or b"").decode().splitlines():
        if not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            sums[name] = max(sums[name], 0) + float(line.split()[-1])
    return sums


def test_a_port_that_is_taken(tmp_path: Path, empty_database_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = Serve(tmp_path, empty_database_url, port=port)
        assert server.process.wait(60) == 1
    assert f"Port {port} on 127.0.0.1 can't be used: Address already in use." in server.output.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_start_that_fails_ends_at_once_and_says_so(tmp_path: Path, empty_database_url: str, workers: int) -> None:
    server = Serve(tmp_path, f"{empty_database_url}_absent", workers=workers)
    try:
        assert server.process.wait(40) == STARTUP_FAILURE
    finally:
        server.end()
    told = server.output.read_text()
    assert "does not exist" in told
    assert "Traceback" not in told


def test_a_worker_that_was_killed_is_replaced(lasting: Serve) -> None:
    before = lasting.workers()
    victim = next(iter(before))
    victim.kill()
    until(lambda: victim not in lasting.workers() and len(lasting.workers()) == len(before), seconds=30)
    until(lasting.answers, seconds=30)
