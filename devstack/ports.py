"""Ports for servers that are bound later, given in turn to all processes of this user: drawn at random, two would meet now and then."""

import fcntl
import os
import secrets
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# Below what systems give to outgoing connections (Linux: 32768 and up): what is free now is not taken by one of those a moment later.
PORTS: Final = range(15_000, 32_000)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 (TCP, or UDP with SOCK_DGRAM) that nobody has at this moment, and nobody else is given until all were."""
    with _locked(turns_file()) as turns:
        for port in _following(_last_given(turns)):
            if _can_be_bound(port, kind):
                os.pwrite(turns, f"{port}\n".encode(), 0)
                return port
    raise OSError(f"every port from {PORTS.start} to {PORTS.stop - 1} is taken")


def turns_file() -> Path:
    """Where the last one is written down: in the folder for temporary files, one for each user."""
    return Path(tempfile.gettempdir()) / f"nchat-rtc-ports-{os.getuid()}"


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, for us alone. Everybody may write in that folder: a link, a pipe or somebody else's file under this name is refused."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(f"{path} is not a file of ours")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _last_given(turns: int) -> int:
    """What the file says; any of them when it is new or says something else."""
    with suppress(ValueError):
        if (port := int(os.pread(turns, 16, 0))) in PORTS:
            return port
    return secrets.choice(PORTS)


def _following(last: int) -> Iterator[int]:
    """Each once, from the next one on and from the first again after the last."""
    yield from range(last + 1, PORTS.stop)
    yield from range(PORTS.start, last + 1)


def _can_be_bound(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_is_busy(host: str, port: int) -> bool:
    """Whether a server could not be bound there now."""
    return why_not_bound(host, port) is not None


def why_not_bound(host: str, port: int) -> OSError | None:
    """What a server would meet that were bound there now; None when it could be."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None
