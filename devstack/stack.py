"""The servers around the service on one machine: what of PostgreSQL and LiveKit is not given is started, and stopped in order."""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from devstack import ingest, livekit_build, livekit_server, livekit_simulator, media, signalling_door, store, valkey
from devstack.livekit_server import IngressPorts, LiveKitDidNotStart, LiveKitServer
from devstack.livekit_simulator.child import SimulatorProcess
from devstack.ports import free_port
from devstack.postgres import EmbeddedPostgres, PostgresError
from devstack.processes import Child
from devstack.store import StorageAddress
from devstack.store.child import StoreDidNotStart
from devstack.valkey import ValkeyDidNotStart
from devstack.workers import WorkerDidNotStart

DATABASE_NAMES = ("NCHAT_DATABASE_URL", "NCHAT_DATABASE_URL_FILE", "DATABASE_URL")
LIVEKIT_NAMES = ("NCHAT_LIVEKIT_URL", "LIVEKIT_URL")
LIVEKIT_KEY = "devkey"
STORE_KEY = "devstore"
BUCKET = "recordings"
# What a person is told in a sentence when a server does not come up.
NOT_STARTED = (PostgresError, LiveKitDidNotStart, ValkeyDidNotStart, StoreDidNotStart, WorkerDidNotStart)


@dataclass(frozen=True, slots=True)
class Media:
    """A LiveKit that answers at `url`, and clients at `client_url`; `told` says in a few words which one it is.

    `storage` is where recordings go; None without a real LiveKit, which alone can record.
    """

    url: str
    client_url: str
    told: list[str]
    storage: StorageAddress | None


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

    def media(self, *, api_secret: str, store_secret: str, service: str, simulator: bool = False) -> Media | None:
        """A started LiveKit: the real server where there is one or can be built, else the simulator; None when one is given.

        `simulator` prefers the simulator to a real server, never to one of the environment. Clients reach either through a door that asks
        the `service` (its address) whom to let in.
        """
        if self._given(LIVEKIT_NAMES):
            return None
        webhook_url = f"{service}/api/webhooks/livekit"
        server: LiveKitServer | SimulatorProcess
        storage: StorageAddress | None = None
        told: list[str] = []
        if simulator or not _real_server():
            server = self._simulator(api_secret, webhook_url)
        else:
            redis = valkey.start(self.folder)
            self._started("Valkey", redis.child)
            server = self._livekit(api_secret, webhook_url, redis.address)
            storage, told = self._recorder(server, redis.address, store_secret)
            told += self._ingest(server, redis.address)
        log = self.folder / "signalling-door.log"
        door = signalling_door.start(livekit=server.url, admit=f"{service}/api/livekit/admit", log=log)
        self._started("signalling door", door.child)
        return Media(server.url, door.ws_url, [server.notice, *told], storage)

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

    def _livekit(self, api_secret: str, webhook_url: str, redis: str) -> LiveKitServer:
        log = self.folder / "livekit.log"
        ports = IngressPorts(rtmp_port=free_port(), whip_port=free_port())
        server = livekit_server.start(
            api_key=LIVEKIT_KEY, api_secret=api_secret, webhook_url=webhook_url, log=log, redis=redis, ingress=ports
        )
        self._started("livekit-server", server.child)
        return server

    def _recorder(self, livekit: LiveKitServer, redis: str, secret: str) -> tuple[StorageAddress, list[str]]:
        """A worker beside livekit-server, and the store that it writes to; words for both."""
        folder, log = self.folder / "store", self.folder / "store.log"
        objects = store.start(folder, access_key=STORE_KEY, secret_key=secret, bucket=BUCKET, log=log)
        self._started("store", objects.child)
        storage = StorageAddress(objects.url, BUCKET, STORE_KEY, secret)
        worker = media.start(livekit=livekit, redis=redis, storage=storage, log=self.folder / "media-worker.log")
        self._started("media worker", worker.child)
        about_store = f"a store for recordings at {objects.url}, kept in {_short(folder)}"
        return storage, [about_store, f"a worker that records, its knobs at {worker.knobs_url}"]

    def _ingest(self, livekit: LiveKitServer, redis: str) -> list[str]:
        """A worker that takes encoders at the addresses that livekit-server gives them; words for it."""
        worker = ingest.start(livekit=livekit, redis=redis, log=self.folder / "ingest-worker.log")
        self._started("ingest worker", worker.child)
        addresses = livekit.ingress.addresses().values() if livekit.ingress else ()
        return [f"a worker that takes encoders at {' and '.join(addresses)}, its knobs at {worker.knobs_url}"]

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
