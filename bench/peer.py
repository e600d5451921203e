"""PostGraphile 5 over the same database: from npm as `bench/postgraphile` pins it, with a Node of its own that is new enough."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.servers import running
from devstack.ports import free_port

FOLDER: Final = Path(__file__).parent / "postgraphile"
POLICIES: Final = FOLDER / "policies.sql"
_PACKAGES: Final = FOLDER / "node_modules"


def missing() -> str | None:
    """Why it can't be started; None when it can."""
    if not (_PACKAGES / "postgraphile").is_dir():
        return "its packages are not there; `make bench` fetches them where there is an npm"
    return "there is no Node 22" if _node() is None else None


def _node() -> str | None:
    """npm has one for Linux; elsewhere it is that of the machine."""
    own = sorted(_PACKAGES.glob("node-*/bin/node"))
    return str(own[0]) if own else shutil.which("node")


@contextmanager
def postgraphile(database_url: str) -> Iterator[int]:
    """One process under its own role, whose rows PostgreSQL's row security decides; yields its port."""
    port = free_port()
    _, _, place = database_url.rpartition("@")
    env = {"BENCH_DATABASE_URL": f"postgresql://pgl:pgl@{place}", "PORT": str(port), "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    with running([_node() or "node", str(FOLDER / "server.mjs")], env, f"http://127.0.0.1:{port}/v1/graphql"):
        yield port
