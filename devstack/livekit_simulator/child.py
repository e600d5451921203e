"""The simulator as a child process, for `make run` on a machine without a livekit-server."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from devstack.livekit_server import wait_until_healthy
from devstack.ports import free_port
from devstack.processes import Child


@dataclass(frozen=True, slots=True)
class SimulatorProcess:
    """A running simulator, in the shape of a `LiveKitServer`."""

    url: str
    ws_url: str
    api_key: str
    api_secret: str
    child: Child

    @property
    def notice(self) -> str:
        """What a person must know at start: what works, what does not, how to drive it."""
        return (
            f"LiveKit simulator at {self.url}: calls, webhooks and moderation work, but no client can join media. "
            f'`make livekit` installs a real server. To let somebody join, POST {{"token": …}} to {self.url}/simulator/join; '
            f"GET {self.url}/simulator shows who is there."
        )

    def stop(self) -> None:
        """Ends it; its rooms are gone."""
        self.child.stop()


def start(*, api_key: str, api_secret: str, webhook_url: str | None, log: Path, port: int | None = None) -> SimulatorProcess:
    """Starts it and waits until it answers; the key pair travels by environment. Raises LiveKitDidNotStart."""
    port = port or free_port()
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "LIVEKIT_API_KEY": api_key, "LIVEKIT_API_SECRET": api_secret}
    command = [sys.executable, "-m", "devstack.livekit_simulator", "--port", str(port)]
    child = Child([*command, *(["--webhook-url", webhook_url] if webhook_url else [])], log=log, env=environment)
    url = f"http://127.0.0.1:{port}"
    wait_until_healthy(url, child)
    return SimulatorProcess(url, f"ws://127.0.0.1:{port}", api_key, api_secret, child)
