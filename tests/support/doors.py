"""The two doors before LiveKit's signalling: the stand-in of `make run`, and compose's proxy with its own file and a real nginx."""

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from devstack.processes import Child
from devstack.signalling_door import Door
from tests.support.waiting import until

CONFIGURATION: Final = Path(__file__).parents[2] / "compose" / "nginx.conf"
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
async def compose_proxy(livekit: str, service: str, port: int, folder: Path) -> AsyncIterator[None]:
    """nginx with compose's very file at this port; only addresses and places for files are this machine's."""
    program = nginx()
    assert program is not None, NO_NGINX
    written = folder / "nginx.conf"
    written.write_text(here(CONFIGURATION.read_text(), livekit, service, port, folder))
    (folder / "nginx").mkdir()
    directives = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
    child = Child([program, "-p", folder, "-c", written, "-g", directives], log=folder / "nginx.log")
    try:
        await asyncio.to_thread(until, lambda: not child.running or listens(port))
        assert child.running, child.log_tail()
        yield
    finally:
        await asyncio.to_thread(child.stop)


def here(text: str, livekit: str, service: str, port: int, folder: Path) -> str:
    """The file with the containers' names, their DNS and their folder replaced; each must be there to be replaced."""
    changes = {
        r"listen 8000;": f"listen 127.0.0.1:{port};",
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
