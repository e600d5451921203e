"""The worker as a child process that can be killed and followed by another."""

import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from devstack.livekit_server import LiveKitServer, answers
from devstack.media.knobs import PATH
from devstack.processes import Child, free_port
from devstack.store import StorageAddress

START_TIMEOUT: Final = 30.0


class MediaWorkerDidNotStart(RuntimeError):
    """The worker ended or stayed silent at start; the text holds the end of its log."""


class MediaWorker:
    """A running worker on this Redis; it takes work as soon as this is made."""

    def __init__(
        self, *, livekit: LiveKitServer, redis: str, storage: StorageAddress | None, log: Path, blank: bool, slots: int | None
    ) -> None:
        self._port = free_port()
        environment = {**os.environ, "LIVEKIT_API_KEY": livekit.api_key, "LIVEKIT_API_SECRET": livekit.api_secret}
        if storage is not None:
            environment |= {
                "NCHAT_STORE_ENDPOINT": storage.endpoint,
                "NCHAT_STORE_BUCKET": storage.bucket,
                "NCHAT_STORE_ACCESS_KEY": storage.access_key,
                "NCHAT_STORE_SECRET_KEY": storage.secret_key,
            }
        command = [sys.executable, "-m", "devstack.media", "--redis", f"redis://{redis}", "--livekit", livekit.ws_url]
        command += ["--blank"] if blank else []
        command += ["--port", str(self._port), *(["--slots", str(slots)] if slots is not None else [])]
        log.parent.mkdir(parents=True, exist_ok=True)
        self.child = Child(command, log=log, env=environment, stop_signal=signal.SIGKILL)
        deadline = time.monotonic() + START_TIMEOUT
        while not answers(self.knobs_url):
            if not self.child.running or time.monotonic() > deadline:
                self.child.stop()
                raise MediaWorkerDidNotStart(f"the media worker ended or stayed silent: {self.child.log_tail()}")
            time.sleep(0.05)

    @property
    def running(self) -> list[str]:
        """The ids of what it records."""
        with urllib.request.urlopen(self.knobs_url, timeout=5) as answer:
            told: dict[str, Any] = json.load(answer)
        return list(told["running"])

    def turn(self, **knobs: bool | float) -> None:
        """Turns these of `Knobs`."""
        request = urllib.request.Request(self.knobs_url, data=json.dumps(knobs).encode(), method="PUT")
        with urllib.request.urlopen(request, timeout=5):
            pass

    def kill(self) -> None:
        """As a crash does it: nothing is uploaded any more, nobody is told."""
        self.child.process.kill()
        self.child.process.wait()

    def stop(self) -> None:
        """Ends it; what it recorded stays as a killed worker leaves it."""
        self.child.stop()

    @property
    def knobs_url(self) -> str:
        """Where its knobs are read and turned."""
        return f"http://127.0.0.1:{self._port}{PATH}"


def start(
    *,
    livekit: LiveKitServer,
    redis: str,
    storage: StorageAddress | None,
    log: Path,
    blank: bool = False,
    slots: int | None = None,
) -> MediaWorker:
    """Starts it on the Redis (`host:port`) of that livekit-server; `blank` writes objects without media. Raises MediaWorkerDidNotStart."""
    return MediaWorker(livekit=livekit, redis=redis, storage=storage, log=log, blank=blank, slots=slots)
