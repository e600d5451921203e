"""A worker as a child process that can be killed and followed by another, and whose knobs are turned over HTTP."""

import json
import signal
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from devstack.livekit_server import answers
from devstack.ports import free_port
from devstack.processes import Child
from devstack.workers.knobs import PATH

START_TIMEOUT: Final = 30.0


class WorkerDidNotStart(RuntimeError):
    """A worker ended or stayed silent at start; the text holds the end of its log."""


class TurnableWorker:
    """A running worker: it takes work as soon as this is made."""

    name: ClassVar[str]

    def __init__(self, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str]) -> None:
        self._port = free_port()
        log.parent.mkdir(parents=True, exist_ok=True)
        self.child = Child([*command, "--port", str(self._port)], log=log, env=env, stop_signal=signal.SIGKILL)
        deadline = time.monotonic() + START_TIMEOUT
        while not answers(self.knobs_url):
            if not self.child.running or time.monotonic() > deadline:
                self.child.stop()
                raise WorkerDidNotStart(f"the {self.name} ended or stayed silent: {self.child.log_tail()}")
            time.sleep(0.05)

    @property
    def running(self) -> list[str]:
        """The ids of what it works on."""
        with urllib.request.urlopen(self.knobs_url, timeout=5) as answer:
            told: dict[str, Any] = json.load(answer)
        return list(told["running"])

    def turn(self, **knobs: bool | float) -> None:
        """Turns these of its knobs."""
        request = urllib.request.Request(self.knobs_url, data=json.dumps(knobs).encode(), method="PUT")
        with urllib.request.urlopen(request, timeout=5):
            pass

    def kill(self) -> None:
        """As a crash does it: nothing is written any more, nobody is told."""
        self.child.process.kill()
        self.child.process.wait()

    def stop(self) -> None:
        """Ends it; what it worked on stays as a killed worker leaves it."""
        self.child.stop()

    @property
    def knobs_url(self) -> str:
        """Where its knobs are read and turned."""
        return f"http://127.0.0.1:{self._port}{PATH}"
