"""A real coturn with the compose folder's configuration, and coturn's own client to try credentials on it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.ports import free_port
from devstack.processes import Child
from tests.support.waiting import until

FOLDER = Path(__file__).parents[2] / "compose"
CONFIGURATION, START = FOLDER / "turnserver.conf", FOLDER / "start-coturn.sh"
PROGRAMS = ("turnserver", "turnutils_uclient", "turnutils_stunclient")


def missing_program() -> str | None:
    """The first of coturn's programs that is not installed here."""
    return next((name for name in PROGRAMS if shutil.which(name) is None), None)


class Coturn:
    """A running server: `port` for STUN and TURN over UDP and TCP."""

    def __init__(self, port: int) -> None:
        self.port, self.pid = port, 0

    def answers_stun(self) -> bool:
        """The compose file's health check."""
        command = ["turnutils_stunclient", "-p", str(self.port), "127.0.0.1"]
        try:
            return subprocess.run(command, capture_output=True, timeout=1).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def relays(self, username: str, credential: str, *, tcp: bool = False, tcp_peers: bool = False) -> bool:
        """Whether an allocation with these credentials carries packets through the relay and back; `tcp_peers` asks for TCP behind it."""
        command = ["turnutils_uclient", "-y", "-c", "-n", "2", "-m", "1", "-p", str(self.port), "-u", username, "-w", credential]
        command += [*(["-t"] if tcp else []), *(["-T"] if tcp_peers else [])]
        finished = subprocess.run([*command, "127.0.0.1"], capture_output=True, text=True, timeout=40)
        return finished.returncode == 0 and "lost packets 0 " in finished.stdout

    def arguments(self) -> str:
        """What a list of processes shows of it."""
        return Path(f"/proc/{self.pid}/cmdline").read_text()


@contextmanager
def coturn(secret: str, folder: Path, *flags: str, without: str = "") -> Iterator[Coturn]:
    """Started by the container's own script, on a free port of this machine, which is the host that media may go to.

    `flags` come last; lines of the script with `without` are left out.
    """
    server = Coturn(free_port())
    script = folder / "start.sh"
    script.write_text("".join(line for line in START.read_text().splitlines(True) if not without or without not in line))
    own = {"TURN_CONFIGURATION": str(CONFIGURATION), "TURN_FOLDER": str(folder), "TURN_REALM": "turn.example.org"}
    given = [f"--listening-port={server.port}", "--no-tls", "--no-dtls", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", *flags]
    environment = {**os.environ, **own, "TURN_SECRET": secret, "TURN_NODE_IP": "127.0.0.1"}
    child = Child(["/bin/sh", script, *given], log=folder / "coturn.log", env=environment)
    server.pid = child.pid
    try:
        until(lambda: server.answers_stun() or not child.running, seconds=20)
        assert child.running, child.log_tail()
        yield server
    finally:
        child.stop()
