"""Child processes that never outlive us: ended in order on a clean stop, by the kernel when we are killed."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.with_parent import die_with_parent, with_parent


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
