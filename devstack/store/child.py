"""The store as a child process, on a port that it keeps when it is stopped and started again."""

import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Final

from devstack.livekit_server import answers
from devstack.ports import free_port
from devstack.processes import Child
from devstack.store.faults import PATH as FAULTS
from devstack.store.server import HEALTH

START_TIMEOUT: Final = 15.0


class StoreDidNotStart(RuntimeError):
    """The store ended or stayed silent at start; the text holds the end of its log."""


class StoreProcess:
    """A store over a folder: `url` is its endpoint; objects outlive the process. `start_again` takes other keys, and another `bucket`."""

    def __init__(self, folder: Path, *, access_key: str, secret_key: str, log: Path, bucket: str | None, port: int | None) -> None:
        self.folder, self.access_key, self.secret_key = folder, access_key, secret_key
        self._log, self.bucket, self._port = log, bucket, port or free_port()
        self.child = self._start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def turn(self, **knobs: bool | float) -> None:
        """Turns these knobs of `Faults`."""
        body = json.dumps(knobs).encode()
        request = urllib.request.Request(self.url + FAULTS, data=body, method="PUT")
        with urllib.request.urlopen(request, timeout=5):
            pass

    def freeze(self) -> None:
        """Connections stay open and nothing answers any more."""
        self.child.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Goes on after `freeze`."""
        self.child.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it: connections are refused from now on. Its objects stay."""
        self.thaw()
        self.child.stop()

    def start_again(self) -> None:
        """The same store on the same port, its knobs at rest. Raises StoreDidNotStart."""
        self.child = self._start()

    def _start(self) -> Child:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "NCHAT_STORE_ACCESS_KEY": self.access_key, "NCHAT_STORE_SECRET_KEY": self.secret_key}
        command: list[str | Path] = [sys.executable, "-m", "devstack.store", "--folder", self.folder, "--port", str(self._port)]
        command += ["--bucket", self.bucket] if self.bucket else []
        child = Child(command, log=self._log, env=environment, stop_signal=signal.SIGKILL)
        deadline = time.monotonic() + START_TIMEOUT
        while not answers(self.url + HEALTH):
            if not child.running or time.monotonic() > deadline:
                child.stop()
                raise StoreDidNotStart(f"the store ended or stayed silent: {child.log_tail()}")
            time.sleep(0.05)
        return child


def start(folder: Path, *, access_key: str, secret_key: str, log: Path, bucket: str | None = None, port: int | None = None) -> StoreProcess:
    """Starts it and waits until it answers; `bucket` is there from then on, `port` None takes a free one. Raises StoreDidNotStart."""
    return StoreProcess(folder, access_key=access_key, secret_key=secret_key, log=log, bucket=bucket, port=port)
