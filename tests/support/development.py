"""A `make run` of a test's own: a data folder and a port of its own, and every process that belongs to it by process list."""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import psutil

from devstack.ports import free_port
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (str(Path(sys.executable).with_name("nchat-rtc")), "dev")
# As `make run` with the environment that runs the tests, whatever its age.
MAKE = ("make", "--no-print-directory", "--assume-old=.venv/.ready", "run")
OUR_VARIABLES = ("NCHAT_", "HASURA_GRAPHQL_", "LIVEKIT_", "DATABASE_URL", "REDIS_URL", "TURN_SECRET", "BACKEND_URL")


class Development:
    """Starts the command and knows its output and processes. `folder` is its NCHAT_DATA_DIR."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder.parent / f"{folder.name}-{self.port}.out"
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """Ours without settings, and with those of this run."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith(OUR_VARIABLES)}
        return bare | {"NCHAT_DATA_DIR": str(self.folder), "NCHAT_PORT": str(self.port)}

    def start(self, command: Sequence[str] = COMMAND) -> "subprocess.Popen[bytes]":
        """Starts it and returns at once; it has a session of its own, as in a terminal of its own."""
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self._started.append(process)
        return process

    def wait_until_ready(self, process: "subprocess.Popen[bytes]", seconds: float = 100) -> None:
        """Until /readyz says 200 and the banner is printed; AssertionError with its output when it ends before."""

        def ready() -> bool:
            assert process.poll() is None, self.text()
            return self.answers("/readyz") and "is ready after" in self.text()

        until(ready, seconds=seconds)

    def answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def text(self) -> str:
        return self.output.read_text()

    def run(self, *arguments: str, port: int | None = None) -> "subprocess.CompletedProcess[str]":
        """Another command of the same checkout and data folder; without a port it has to find the running one."""
        environment = {name: value for name, value in self.environment.items() if name != "NCHAT_PORT"}
        environment |= {"NCHAT_PORT": str(port)} if port else {}
        return subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    def processes(self) -> list[psutil.Process]:
        """Every live process that was started for this folder, whoever its parent is now."""
        return [process for process in psutil.process_iter() if process.pid != os.getpid() and self._ours(process)]

    def end(self) -> None:
        """For a test's end, passed or failed: nothing stays."""
        for process in self.processes():
            # One that ends with another is gone by itself.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        for started in self._started:
            started.wait(10)

    def _ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            # PostgreSQL writes its state over its environment, and has the folder in its arguments instead.
            return process.environ().get("NCHAT_DATA_DIR") == str(self.folder) or any(
                str(self.folder) in part for part in process.cmdline()
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
