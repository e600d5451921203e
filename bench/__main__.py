"""`make bench`: interleaved rounds of this service and of the ceiling over one database; prints medians and ratios."""

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import uvloop

from bench.answers import compare
from bench.load import press
from bench.requests import questions, to_ceiling, to_service
from bench.servers import ceiling, service
from bench.workloads import WORKLOADS, Workload
from devstack.postgres import EmbeddedPostgres

CONNECTIONS = 32
COMPARED = 200


async def measure(workload: Workload, ports: tuple[int, int], database_url: str, rounds: int, seconds: float) -> list[tuple[float, float]]:
    """Requests per second of (service, ceiling) in each round, after both gave the same answers and were warmed up."""
    connection = await asyncpg.connect(database_url)
    try:
        asked = await questions(connection, workload)
    finally:
        await connection.close()
    requests = [to_service(a) for a in asked], [to_ceiling(a) for a in asked]
    same = await compare(ports, list(zip(*requests, strict=True))[:COMPARED])
    print(f"\n{workload.name}: {workload.what}. {min(COMPARED, len(asked))} answers compared, {same} with data, all equal.", flush=True)
    for port, prepared in zip(ports, requests, strict=True):
        await press(port, prepared, connections=CONNECTIONS, seconds=2, seed=0)
    rates = []
    for n in range(1, rounds + 1):
        ours, theirs = [
            (await press(port, prepared, connections=CONNECTIONS, seconds=seconds, seed=n))[0]
            for port, prepared in zip(ports, requests, strict=True)
        ]
        rates.append((ours, theirs))
        print(f"  round {n}: service {ours:7.0f} req/s, ceiling {theirs:7.0f} req/s, ratio {ours / theirs:.2f}", flush=True)
    return rates


def report(workload: Workload, rates: Sequence[tuple[float, float]]) -> bool:
    """Prints the medians; true when the goal is reached."""
    ratio = statistics.median(ours / theirs for ours, theirs in rates)
    ours, theirs = (statistics.median(column) for column in zip(*rates, strict=True))
    verdict = "reached" if ratio >= workload.goal else "MISSED"
    print(
        f"{workload.name} median: service {ours:.0f}, ceiling {theirs:.0f} req/s, ratio {ratio:.2f} (goal {workload.goal}: {verdict})",
        flush=True,
    )
    return ratio >= workload.goal


async def load_data(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        # VACUUM runs outside a transaction, so the script goes statement by statement through the simple protocol.
        script = (Path(__file__).parent / "data.sql").read_text()
        setup, _, vacuum = script.rpartition("VACUUM")
        await connection.execute(setup)
        await connection.execute(f"VACUUM{vacuum}")
    finally:
        await connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each workload (default 5)")
    parser.add_argument("--seconds", type=float, default=6, help="length of one round of one candidate (default 6)")
    parser.add_argument("--only", choices=[w.name for w in WORKLOADS], help="one workload")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nchat-bench-")))
        postgres = EmbeddedPostgres(root)
        print("Starting PostgreSQL and making 50,000 calls …", flush=True)
        url = postgres.start()
        stack.callback(postgres.stop)
        uvloop.run(load_data(url))
        ports = stack.enter_context(service(url)), stack.enter_context(ceiling(url))
        reached = [
            report(workload, uvloop.run(measure(workload, ports, url, options.rounds, options.seconds)))
            for workload in WORKLOADS
            if options.only in (None, workload.name)
        ]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
