"""The doors before LiveKit's signalling: `make run`'s stand-in, compose's very file in a real nginx, and Caddy as documented."""

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from devstack.ports import free_port
from devstack.processes import Child
from devstack.signalling_door import Door
from tests.support.waiting import until

CONFIGURATION: Final = Path(__file__).parents[2] / "compose" / "nginx.conf"
OPERATIONS: Final = Path(__file__).parents[2] / "docs" / "operations.md"
# Nothing listens there.
NO_STORE: Final = "http://127.0.0.1:9"
NO_CADDY: Final = "caddy is not installed (`apt-get install caddy`): its lines of the operations page are not tried"
NO_NGINX: Final = "nginx is not installed (`apt-get install nginx-light`): compose's proxy is not tried"


def nginx() -> str | None:
    """The program; Debian keeps it out of a user's PATH."""
    return shutil.which("nginx", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def stand_in(livekit: str, service: str, port: int, _folder: Path) -> AsyncIterator[None]:
    """The door of `make run` at this port."""
    async with Door(livekit, f"{service}/api/livekit/admit").open(port):
        yield


@asynccontextmanager
async def compose_proxy(
    livekit: str,
    service: str,
    port: int,
    folder: Path,
    changes: Mapping[str, str] = MappingProxyType({}),
    *,
    store: tuple[str, int] | None = None,
) -> AsyncIterator[None]:
    """nginx with compose's very file at this port; only addresses, places for files and what `changes` says are not the file's.

    `store` is where the store listens, and the port that leads there.
    """
    program = nginx()
    assert program is not None, NO_NGINX
    written = folder / "nginx.conf"
    text = here(CONFIGURATION.read_text(), livekit, service, port, folder, store or (NO_STORE, free_port()))
    for theirs, ours in changes.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    written.write_text(text)
    (folder / "nginx").mkdir()
    directives = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
    child = Child([program, "-p", folder, "-c", written, "-g", directives], log=folder / "nginx.log")
    try:
        await asyncio.to_thread(until, lambda: not child.running or listens(port))
        assert child.running, child.log_tail()
        yield
    finally:
        await asyncio.to_thread(child.stop)


def here(text: str, livekit: str, service: str, port: int, folder: Path, store: tuple[str, int]) -> str:
    """The file with the containers' names, their DNS and their folder replaced; each must be there to be replaced."""
    changes = {
        r"listen 8000;": f"listen 127.0.0.1:{port};",
        r"listen 8001;": f"listen 127.0.0.1:{store[1]};",
        r"\bstore:3900;": f"{store[0].removeprefix('http://')};",
        r"\bapi:8000;": f"{service.removeprefix('http://')};",
        r"\blivekit:7880;": f"{livekit.removeprefix('http://')};",
        r"resolver [^;]+;": "",
        r"/tmp/": f"{folder}/nginx/",
        r"/dev/stdout": f"{folder}/nginx/access.log",
        r"worker_processes auto;": "worker_processes 1;",
    }
    for pattern, ours in changes.items():
        text, found = re.subn(pattern, ours, text)
        assert found, f"nginx.conf has no {pattern}"
    return text


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def caddy(livekit: str, service: str, port: int, folder: Path) -> AsyncIterator[None]:
    """Caddy as the operations page has it."""
    (snippet,) = re.findall(r"```\n(rtc\.example\.org \{.*?\n\})\n```", OPERATIONS.read_text(), re.DOTALL)
    changes = {
        r"rtc\.example\.org": f"http://:{port}",
        r"127\.0\.0\.1:8000": service.removeprefix("http://"),
        r"127\.0\.0\.1:7880": livekit.removeprefix("http://"),
    }
    for pattern, ours in changes.items():
        snippet, found = re.subn(pattern, ours, snippet)
        assert found, pattern
    (folder / "Caddyfile").write_text("{\n  admin off\n  auto_https off\n}\n" + snippet)
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    child = Child(["caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"], log=folder / "caddy.log", env=environment)
    try:
        await asyncio.to_thread(until, lambda: not child.running or listens(port))
        assert child.running, child.log_tail()
        yield
    finally:
        await asyncio.to_thread(child.stop)


Open = Callable[[str, str, int, Path], AbstractAsyncContextManager[None]]
DOORS: Final[dict[str, Open]] = {"stand_in": stand_in, "compose": compose_proxy, "caddy": caddy}


def why_not(door: str) -> str | None:
    """Why this door can't be tried here."""
    if door == "compose" and nginx() is None:
        return NO_NGINX
    return NO_CADDY if door == "caddy" and shutil.which("caddy") is None else None
