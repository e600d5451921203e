"""The servers around the service on one machine: what of PostgreSQL and LiveKit is not given is started, and stopped in order."""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from devstack import livekit_build, livekit_server, livekit_simulator, signalling_door
from devstack.livekit_server import LiveKitServer
from devstack.livekit_simulator.child import SimulatorProcess
from devstack.postgres import EmbeddedPostgres
from devstack.processes import Child

DATABASE_NAMES = ("NCHAT_DATABASE_URL", "NCHAT_DATABASE_URL_FILE", "DATABASE_URL")
LIVEKIT_NAMES = ("NCHAT_LIVEKIT_URL", "LIVEKIT_URL")
LIVEKIT_KEY = "devkey"


@dataclass(frozen=True, slots=True)
class Media:
    """A LiveKit that answers at `url`, and clients at `client_url`; `told` says in a few words which one it is."""

    url: str
    client_url: str
    told: str


class Stack:
    """Starts servers on request and remembers them. Use as a context manager, in the main thread: the kernel ties children to it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = environment
        self._exit = ExitStack()
        self._stopping = threading.Event()
        self._watched: list[tuple[str, Child]] = []

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._exit.close()

    def database(self) -> tuple[str | None, str]:
        """The address of a started PostgreSQL and words for it; no address when the environment names a database."""
        if self._given(DATABASE_NAMES):
            return None, "the database of your environment"
        server = EmbeddedPostgres(self.folder)
        url = server.start()
        self._started("PostgreSQL", server.child)
        server.create_database("nchat")
        return url.removesuffix("/postgres") + "/nchat", f"PostgreSQL 18, kept in {_short(server.data)}"

    def media(self, *, api_secret: str, service: str, simulator: bool = False) -> Media | None:
        """A started LiveKit: the real server where there is one or can be built, else the simulator; None when one is given.

        `simulator` prefers the simulator to a real server, never to one of the environment. Clients reach either through a door that asks
        the `service` (its address) whom to let in.
        """
        if self._given(LIVEKIT_NAMES):
            return None
        webhook_url = f"{service}/api/webhooks/livekit"
        server = self._simulator(api_secret, webhook_url) if simulator or not _real_server() else self._livekit(api_secret, webhook_url)
        log = self.folder / "signalling-door.log"
        door = signalling_door.start(livekit=server.url, admit=f"{service}/api/livekit/admit", log=log)
        self._started("signalling door", door.child)
        return Media(server.url, door.ws_url, server.notice)

    def at_end(self, act: Callable[[], object]) -> None:
        """Does this at the end, before the servers stop that were started so far."""
        self._exit.callback(act)

    def watch(self, lost: Callable[[str], None]) -> None:
        """Calls `lost` with a server's name, from another thread, when it ends though nobody stopped it."""
        for name, child in self._watched:
            threading.Thread(target=self._wait, args=(name, child, lost), daemon=True, name=f"watch {name}").start()

    def _wait(self, name: str, child: Child, lost: Callable[[str], None]) -> None:
        child.process.wait()
        if not self._stopping.is_set():
            lost(name)

    def _livekit(self, api_secret: str, webhook_url: str) -> LiveKitServer:
        log = self.folder / "livekit.log"
        server = livekit_server.start(api_key=LIVEKIT_KEY, api_secret=api_secret, webhook_url=webhook_url, log=log)
        self._started("livekit-server", server.child)
        return server

    def _simulator(self, api_secret: str, webhook_url: str) -> SimulatorProcess:
        log = self.folder / "livekit-simulator.log"
        simulator = livekit_simulator.start(api_key=LIVEKIT_KEY, api_secret=api_secret, webhook_url=webhook_url, log=log)
        self._started("LiveKit simulator", simulator.child)
        return simulator

    def _started(self, name: str, child: Child) -> None:
        self._exit.callback(child.stop)
        self._watched.append((name, child))

    def _given(self, names: tuple[str, ...]) -> bool:
        return any(self._environment.get(name) for name in names)


def _real_server() -> bool:
    """Whether there is a real livekit-server, if need be after building it once."""
    if livekit_server.find_binary() is None and livekit_build.can_build():
        livekit_build.build_or_say_why_not()
    return livekit_server.find_binary() is not None


def _short(path: Path) -> str:
    """Relative to the current folder where that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
