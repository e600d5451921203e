"""A real livekit-server as a child process, configured as `compose/livekit.yaml` says, on free ports."""

import os
import shutil
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from devstack.ports import free_port
from devstack.processes import Child

ROOT: Final = Path(__file__).resolve().parent.parent
CONFIG: Final = ROOT / "compose" / "livekit.yaml"
NOT_FOUND: Final = "livekit-server not found in LIVEKIT_SERVER_BIN, .tools/ or PATH; `make livekit` installs it"
START_TIMEOUT: Final = 15.0


class LiveKitDidNotStart(RuntimeError):
    """livekit-server ended or stayed silent at start; the text holds the end of its log."""


def find_binary() -> Path | None:
    """The livekit-server to run: `LIVEKIT_SERVER_BIN`, else `.tools/livekit-server`, else the one in PATH."""
    named = os.environ.get("LIVEKIT_SERVER_BIN")
    candidates = [named] if named else [str(ROOT / ".tools" / "livekit-server"), shutil.which("livekit-server")]
    return next((Path(found) for found in candidates if found and os.access(found, os.X_OK)), None)


@dataclass(frozen=True, slots=True)
class IngressPorts:
    """Where encoders (RTMP) and browsers (WHIP) reach the worker that takes them, on this machine."""

    rtmp_port: int
    whip_port: int

    def addresses(self) -> dict[str, str]:
        """As livekit-server hands them out."""
        return {"rtmp_base_url": f"rtmp://127.0.0.1:{self.rtmp_port}/live", "whip_base_url": f"http://127.0.0.1:{self.whip_port}/w"}


@dataclass(frozen=True, slots=True)
class LiveKitServer:
    """A running server: `url` for the API (http), `ws_url` for clients, the key pair that both sides use.

    `ingress` is None where it gives encoders no address.
    """

    url: str
    ws_url: str
    api_key: str
    api_secret: str
    child: Child
    ingress: IngressPorts | None = None

    @property
    def notice(self) -> str:
        """What a person reads at start."""
        return f"LiveKit server at {self.ws_url}"

    def stop(self) -> None:
        """Ends it at once, participants or not."""
        self.child.stop()


def start(
    *,
    api_key: str,
    api_secret: str,
    webhook_url: str | None,
    log: Path,
    redis: str | None = None,
    node_ip: str = "127.0.0.1",
    port: int | None = None,
    room: Mapping[str, object] | None = None,
    ingress: IngressPorts | None = None,
) -> LiveKitServer:
    """Starts the real binary and waits until it answers.

    `webhook_url` None sends no webhooks; `redis` is `host:port`, None keeps rooms in memory; `port` None takes a free one;
    `room` overrides keys of the configuration's `room` block; `ingress` are the ports of a worker that takes encoders. The key pair travels
    by environment, never by argument.
    Raises FileNotFoundError without a binary and LiveKitDidNotStart when it ends or stays silent.
    """
    binary = find_binary()
    if binary is None:
        raise FileNotFoundError(NOT_FOUND)
    settings = configuration(
        api_key=api_key, webhook_url=webhook_url, redis=redis, port=port or free_port(), room=room or {}, ingress=ingress
    )
    port = int(settings["port"])
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "LIVEKIT_KEYS": f"{api_key}: {api_secret}", "LIVEKIT_CONFIG": yaml.safe_dump(settings)}
    # A first SIGTERM would wait for the participants to leave.
    child = Child([binary, "--node-ip", node_ip], log=log, env=environment, stop_signal=signal.SIGKILL)
    wait_until_healthy(f"http://127.0.0.1:{port}", child)
    return LiveKitServer(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}", api_key, api_secret, child, ingress)


def configuration(
    *,
    api_key: str,
    webhook_url: str | None,
    redis: str | None,
    port: int,
    room: Mapping[str, object],
    ingress: IngressPorts | None = None,
) -> dict[str, Any]:
    """The compose configuration with this machine's ports, webhook address and Redis in place of the containers'."""
    settings: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
    settings |= {"port": port, "bind_addresses": ["127.0.0.1"]}
    settings["rtc"] |= {"tcp_port": free_port(), "udp_port": free_port(socket.SOCK_DGRAM), "enable_loopback_candidate": True}
    settings["room"] |= room
    settings["ingress"] = ingress.addresses() if ingress else {}
    settings["webhook"] = {"api_key": api_key, "urls": [webhook_url]} if webhook_url else {}
    if redis:
        settings["redis"] = {"address": redis}
    else:
        del settings["redis"]
    return settings


def wait_until_healthy(url: str, child: Child) -> None:
    """Returns at the first 200 of `GET /`. Raises LiveKitDidNotStart when the process ends or time is up."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if not child.running:
            raise LiveKitDidNotStart(f"ended with {child.process.returncode}: {child.log_tail()}")
        if answers(url):
            return
        time.sleep(0.05)
    child.stop()
    raise LiveKitDidNotStart(f"no answer within {START_TIMEOUT:.0f} s: {child.log_tail()}")


def answers(url: str) -> bool:
    """Whether `GET url` says 200; a refused connection and any other status are a no."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
