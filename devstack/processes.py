"""Child processes that never outlive us: ended in order on a clean stop, by the kernel when we are killed."""

import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.with_parent import die_with_parent, with_parent

# Below what systems give to outgoing connections (Linux: 32768 and up): what is free now is not taken by one of those a moment later.
_PORTS: Final = range(15_000, 32_000)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 (TCP, or UDP with SOCK_DGRAM) that nobody has at this moment, chosen at random: others choose beside us."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket(socket.AF_INET, kind) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


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


def stop_with_parent() -> None:
    """Asks the kernel for SIGTERM when our own parent (`make`) ends, however it ends."""
    die_with_parent(signal.SIGTERM, os.getppid())


class Child:
    """A server of ours in a session of its own, so that a terminal's Ctrl-C reaches us alone and we stop it in order."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.log = log
        self._stop_signal = stop_signal
        with log.open("ab") as output:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                with_parent(command, death_signal, user=user),
                env=dict(env) if env is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def log_tail(self, lines: int = 5) -> str:
        """The last lines of its log, for an error that a person reads."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, timeout: float = 10) -> None:
        """Sends the stop signal, waits `timeout` seconds, then kills. Safe to call twice."""
        if not self.running:
            return
        self.process.send_signal(self._stop_signal)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
