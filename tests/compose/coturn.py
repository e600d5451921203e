"""A real coturn with the compose folder's configuration, and coturn's own client to try credentials on it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.processes import Child, free_port
from tests.support.waiting import until

CONFIGURATION = Path(__file__).parents[2] / "compose" / "turnserver.conf"
PROGRAMS = ("turnserver", "turnutils_uclient", "turnutils_stunclient")


def missing_program() -> str | None:
    """The first of coturn's programs that is not installed here."""
    return next((name for name in PROGRAMS if shutil.which(name) is None), None)


class Coturn:
    """A running server: `port` for STUN and TURN over UDP and TCP."""

    def __init__(self, port: int) -> None:
        self.port = port

    def answers_stun(self) -> bool:
        """The compose file's health check."""
        command = ["turnutils_stunclient", "-p", str(self.port), "127.0.0.1"]
        try:
            return subprocess.run(command, capture_output=True, timeout=1).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def relays(self, username: str, credential: str, *, tcp: bool = False) -> bool:
        """Whether an allocation with these credentials carries packets through the relay and back."""
        command = ["turnutils_uclient", "-y", "-c", "-n", "2", "-m", "1", "-p", str(self.port), "-u", username, "-w", credential]
        finished = subprocess.run([*command, *(["-t"] if tcp else []), "127.0.0.1"], capture_output=True, text=True, timeout=40)
        return finished.returncode == 0 and "lost packets 0 " in finished.stdout


@contextmanager
def coturn(secret: str, folder: Path, *flags: str) -> Iterator[Coturn]:
    """Starts it as docker-compose.yml does, on a free port; `flags` come last."""
    server = Coturn(free_port())
    files = [f"--pidfile={folder / 'turn.pid'}", f"--userdb={folder / 'turn.db'}"]
    given = [f"--listening-port={server.port}", "--no-tls", "--no-dtls", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", *files, *flags]
    command = ["turnserver", "-c", str(CONFIGURATION), "--realm=turn.example.org", f"--static-auth-secret={secret}", *given]
    child = Child(command, log=folder / "coturn.log")
    try:
        until(lambda: server.answers_stun() or not child.running, seconds=20)
        assert child.running, child.log_tail()
        yield server
    finally:
        child.stop()
