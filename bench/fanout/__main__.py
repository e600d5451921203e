"""`make bench-fanout`: deliveries per CPU second of events to many websockets, beside the bare event loop and peers in the same run."""

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from bench.fanout import trials
from bench.fanout.candidates import ceiling, graphql_ws, service, strawberry
from devstack import valkey
from devstack.demo_data import seed
from devstack.migrated_database import migrated_database

TRIALS = ("idle", "compare", "hot", "crowd", "steady")
IDLE_CALLS = 200


async def run(options: argparse.Namespace, database_url: str, redis_url: str) -> bool:
    """Whether all that was asked for is as good as it has to be."""
    results = {name: await _run(name, options, database_url, redis_url) for name in options.only}
    print("\n".join(f"{name:8} {'reached' if well else 'NOT reached'}" for name, well in results.items()))
    return all(results.values())


async def _run(name: str, options: argparse.Namespace, database_url: str, redis_url: str) -> bool:
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(service(database_url, redis_url, IDLE_CALLS if name == "idle" else 1))
        match name:
            case "idle":
                return await trials.idle(ours, IDLE_CALLS)
            case "crowd":
                return await trials.crowd(ours, options.seconds)
            case "steady":
                return await trials.steady(ours)
        bare = await stack.enter_async_context(ceiling())
        if name == "hot":
            return await trials.hot(ours, bare, options.seconds)
        peers = [await stack.enter_async_context(one) for one in (graphql_ws(options.packages), strawberry())] if options.packages else []
        return await trials.compare(ours, bare, peers, options.sockets, options.rate, options.seconds)


def _folder(name: str) -> Path:
    return Path(name).absolute()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.fanout", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=TRIALS, help="some of the trials (default: all)")
    parser.add_argument("--sockets", type=int, nargs="+", default=[500, 2000, 8000], help="subscribers to compare (default 500 2000 8000)")
    parser.add_argument("--rate", type=float, default=50, help="events a second to compare (default 50)")
    parser.add_argument("--seconds", type=float, default=8, help="length of each measurement (default 8)")
    parser.add_argument("--packages", type=_folder, help="a folder with node_modules: npm's graphql-ws and stock Strawberry run as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nchat-fanout-") as folder, migrated_database() as database_url:
        broker = valkey.start(Path(folder))
        try:
            asyncio.run(seed(database_url))
            well = uvloop.run(run(options, database_url, f"redis://{broker.address}"))
        finally:
            broker.stop()
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
