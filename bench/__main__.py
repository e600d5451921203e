"""`make bench`: interleaved rounds of this service, of the ceiling and of PostGraphile over one database; prints medians and ratios."""

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import uvloop

from bench import peer
from bench.answers import compare
from bench.load import press
from bench.requests import Asked, questions, to_ceiling, to_peer, to_service
from bench.servers import ceiling, service
from bench.workloads import WORKLOADS, Workload
from devstack.postgres import EmbeddedPostgres

CONNECTIONS = 32
COMPARED = 200
# Of the service beside PostGraphile, in each workload.
PEER_GOAL: Final = 2.5
TABLES, DATA = (Path(__file__).parent / name for name in ("tables.sql", "data.sql"))
SERVICE, CEILING, PEER = "service", "ceiling", "PostGraphile"


class Candidate(NamedTuple):
    """A server that is asked, and how a question is put to it."""

    name: str
    port: int
    prepare: Callable[[Asked], bytes]


# Requests per second of each candidate in one round.
Rates = Mapping[str, float]


async def measure(workload: Workload, candidates: Sequence[Candidate], database_url: str, rounds: int, seconds: float) -> list[Rates]:
    """What each does in each round, after all gave the same answers and were warmed up."""
    connection = await asyncpg.connect(database_url)
    try:
        asked = await questions(connection, workload)
    finally:
        await connection.close()
    requests = {candidate.name: [candidate.prepare(question) for question in asked] for candidate in candidates}
    same = await compare([candidate.port for candidate in candidates], list(zip(*requests.values(), strict=True))[:COMPARED])
    print(f"\n{workload.name}: {workload.what}. {min(COMPARED, len(asked))} answers compared, {same} with data, all equal.", flush=True)
    for candidate in candidates:
        await press(candidate.port, requests[candidate.name], connections=CONNECTIONS, seconds=2, seed=0)
    rates: list[Rates] = []
    for n in range(1, rounds + 1):
        # Another one is the first each time: whatever else the machine does falls on all alike.
        first = n % len(candidates)
        found = {
            candidate.name: (await press(candidate.port, requests[candidate.name], connections=CONNECTIONS, seconds=seconds, seed=n))[0]
            for candidate in (*candidates[first:], *candidates[:first])
        }
        rates.append({candidate.name: found[candidate.name] for candidate in candidates})
        print(f"  round {n}: {_told(rates[-1])}, ratio {' and '.join(f'{ratio:.2f}' for ratio in _ratios(rates[-1]).values())}", flush=True)
    return rates


def _told(rates: Rates) -> str:
    return ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items()) + " req/s"


def _ratios(rates: Rates) -> dict[str, float]:
    """What the service does beside each of the others."""
    return {name: rates[SERVICE] / rate for name, rate in rates.items() if name != SERVICE}


def report(workload: Workload, rates: Sequence[Rates]) -> bool:
    """Prints the medians; true when the goals are reached."""
    goals = {CEILING: workload.goal, PEER: PEER_GOAL}
    ratios = {name: statistics.median(_ratios(each)[name] for each in rates) for name in _ratios(rates[0])}
    verdicts = [
        f"{ratio:.2f} of {name} (goal {goals[name]}: {'reached' if ratio >= goals[name] else 'MISSED'})" for name, ratio in ratios.items()
    ]
    medians = {name: statistics.median(each[name] for each in rates) for name in rates[0]}
    print(f"{workload.name} median: {_told(medians)}; {', '.join(verdicts)}", flush=True)
    return all(ratio >= goals[name] for name, ratio in ratios.items())


async def load_data(database_url: str, in_order: bool = False) -> None:
    """The tables and their rows, and the rules as row security, which holds for PostGraphile's role alone.

    `in_order`: calls lie on disk in the order of their time, which spares those who walk along it a page for each.
    """
    connection = await asyncpg.connect(database_url)
    try:
        for script in (TABLES, DATA, peer.POLICIES):
            await connection.execute(script.read_text())
        if in_order:
            await connection.execute("CLUSTER nchat_calls USING nchat_calls_created_at_idx")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


@contextlib.contextmanager
def started(database_url: str) -> Iterator[Sequence[Candidate]]:
    """All that are compared."""
    with contextlib.ExitStack() as stack:
        candidates = [
            Candidate(SERVICE, stack.enter_context(service(database_url)), to_service),
            Candidate(CEILING, stack.enter_context(ceiling(database_url)), to_ceiling),
        ]
        if (why_not := peer.missing()) is None:
            candidates.append(Candidate(PEER, stack.enter_context(peer.postgraphile(database_url)), to_peer))
        else:
            print(f"Without PostGraphile: {why_not}.", flush=True)
        yield candidates


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each workload (default 5)")
    parser.add_argument("--seconds", type=float, default=6, help="length of one round of one candidate (default 6)")
    parser.add_argument("--only", choices=[w.name for w in WORKLOADS], help="one workload")
    parser.add_argument(
        "--in-order", action="store_true", help="calls lie on disk in the order of their time, not in none, for which the goals are"
    )
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nchat-bench-")))
        postgres = EmbeddedPostgres(root)
        print("Starting PostgreSQL and making 50,000 calls and 200,000 messages …", flush=True)
        url = postgres.start()
        stack.callback(postgres.stop)
        uvloop.run(load_data(url, options.in_order))
        candidates = stack.enter_context(started(url))
        reached = [
            report(workload, uvloop.run(measure(workload, candidates, url, options.rounds, options.seconds)))
            for workload in WORKLOADS
            if options.only in (None, workload.name)
        ]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
