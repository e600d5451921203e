"""`make bench-start`: a served process with made-up metadata of 100 and 200 tables and 8 roles, from the command to readiness.

Prints, beside the targets, how long it takes, how much memory the process has then and after every role has asked for its whole
schema, and how long the first request of each role takes, at the start and after a reload.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
from graphql import get_introspection_query

from bench.large_metadata.files import sql, write_metadata
from bench.large_metadata.model import ROLES, made_up
from bench.servers import ADMIN_SECRET, running
from devstack.ports import free_port
from devstack.postgres import EmbeddedPostgres

FIRST_MS = 50
FIRST = "{ thing_1(limit: 1) { id } thing_2(limit: 1, order_by: {id: asc}) { id } __typename }"


@dataclass(frozen=True, slots=True)
class Size:
    tables: int
    seconds: float
    megabytes: int


SIZES = (Size(100, 3, 250), Size(200, 5, 350))


def ask(port: int, role: str, query: str) -> tuple[float, bytes]:
    """Milliseconds until the answer, and the answer: a role that sees less is refused, which takes as long."""
    headers = {"x-hasura-admin-secret": ADMIN_SECRET, "x-hasura-role": role, "content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/graphql", json.dumps({"query": query}).encode(), headers)
    began = time.perf_counter()
    with urllib.request.urlopen(request) as response:  # noqa: S310 - our own address
        body: bytes = response.read()
    return (time.perf_counter() - began) * 1000, body


@contextlib.contextmanager
def served(database_url: str, metadata: Path) -> Iterator[tuple[int, int, float]]:
    """The process: its port, its id, and the seconds from the command to the first answer of its health."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("nchat-rtc")), "serve", "--metadata", str(metadata), "--database-url", database_url]
    began = time.perf_counter()
    with running([*command, "--port", str(port)], {"NCHAT_ADMIN_SECRET": ADMIN_SECRET}, f"http://127.0.0.1:{port}/healthz") as pid:
        yield port, pid, time.perf_counter() - began


def measure(database_url: str, size: Size, metadata: Path, rounds: int) -> bool:
    """Prints medians of `rounds` starts; true when every target is reached."""
    seen: dict[str, list[float]] = defaultdict(list)
    entry = metadata / "databases" / "default" / "tables" / "public_thing_1.yaml"
    written = entry.read_text()
    for _ in range(rounds):
        entry.write_text(written)
        with served(database_url, metadata) as (port, pid, seconds):
            seen["start"].append(seconds)
            seen["memory"].append(_megabytes(pid))
            seen["first"].append(max(ask(port, role, FIRST)[0] for role in ROLES))
            for role in ROLES:
                ask(port, role, get_introspection_query())
            seen["told"].append(_megabytes(pid))
            entry.write_text(written + "configuration: {comment: told again}\n")
            _reload(port, pid, b"told again")
            seen["again"].append(max(ask(port, role, FIRST)[0] for role in ROLES))
    median = {what: statistics.median(values) for what, values in seen.items()}
    print(f"{size.tables} tables, {len(ROLES)} roles, medians of {rounds}:")
    return all(
        [
            _line("from the command to readiness", median["start"], size.seconds, "s"),
            _line("memory then", median["memory"], size.megabytes, "MB"),
            _line("memory when every role was told its schema", median["told"], size.megabytes, "MB"),
            _line("slowest first request of a role", median["first"], FIRST_MS, "ms"),
            _line("the same after a reload", median["again"], FIRST_MS, "ms"),
        ]
    )


def _line(what: str, value: float, target: float, unit: str) -> bool:
    verdict = "reached" if value <= target else "MISSED"
    print(f"  {what}: {value:.2f} {unit} (target {target:g} {unit}: {verdict}, {value / target:.2f} of it)", flush=True)
    return value <= target


def _megabytes(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def _reload(port: int, pid: int, comment: bytes) -> None:
    """Ends when metadata with this comment is served, which admin alone asks."""
    os.kill(pid, signal.SIGHUP)
    for _ in range(600):
        if comment in ask(port, "admin", '{ __type(name: "thing_1") { description } }')[1]:
            return
        time.sleep(0.05)
    raise RuntimeError("the reload did not come to an end")


async def _load(database_url: str, script: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.large_metadata", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each size (default 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the made-up metadata (default 0)")
    options = parser.parse_args()
    reached = []
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nchat-bench-")))
        postgres = EmbeddedPostgres(root)
        url = postgres.start()
        stack.callback(postgres.stop)
        for size in SIZES:
            product, name = made_up(size.tables, options.seed), f"tables_{size.tables}"
            asyncio.run(_load(url, f"CREATE DATABASE {name}"))
            database_url = postgres.database_url(name)
            asyncio.run(_load(database_url, sql(product)))
            write_metadata(product, root / name)
            print(f"{product.relationships} relationships.", flush=True)
            reached.append(measure(database_url, size, root / name, options.rounds))
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
