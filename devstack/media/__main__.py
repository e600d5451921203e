"""`python -m devstack.media --redis URL --livekit URL`, with LIVEKIT_API_KEY and LIVEKIT_API_SECRET set.

NCHAT_STORE_ENDPOINT, …_BUCKET, …_ACCESS_KEY and …_SECRET_KEY name the storage of requests that bring none of their own.
"""

import argparse
import asyncio
import os
from collections.abc import Mapping

import uvicorn

from devstack.media.blank_take import BlankTake
from devstack.media.bus import Bus
from devstack.media.encoding import EncodedTake
from devstack.media.knobs import Knobs
from devstack.media.seat import Site
from devstack.media.storage import Storages
from devstack.media.worker import SLOTS, Worker
from devstack.store import StorageAddress
from devstack.workers.knobs import application


def main() -> None:
    """Works until a signal; what is recorded then stays as a killed worker leaves it."""
    parser = argparse.ArgumentParser(prog="media", description=__doc__)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--livekit", required=True)
    parser.add_argument("--port", type=int, required=True, help="of the knobs, on 127.0.0.1")
    parser.add_argument("--blank", action="store_true", help="write objects without media, for tests of states")
    parser.add_argument("--slots", type=int, default=SLOTS)
    asyncio.run(_work(parser.parse_args(), os.environ))


async def _work(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    knobs = Knobs()
    site = Site(arguments.livekit, environment["LIVEKIT_API_KEY"], environment["LIVEKIT_API_SECRET"])
    storages = Storages(_own_storage(environment), knobs)
    async with Bus(arguments.redis).running() as bus:
        worker = Worker(bus, site, storages, knobs, BlankTake if arguments.blank else EncodedTake, slots=arguments.slots)
        await worker.open()
        app = application(knobs, lambda: worker.running.keys())
        settings = uvicorn.Config(app, host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)
        await uvicorn.Server(settings).serve()


def _own_storage(environment: Mapping[str, str]) -> StorageAddress | None:
    names = ("NCHAT_STORE_ENDPOINT", "NCHAT_STORE_BUCKET", "NCHAT_STORE_ACCESS_KEY", "NCHAT_STORE_SECRET_KEY")
    return StorageAddress(*(environment[name] for name in names)) if "NCHAT_STORE_ENDPOINT" in environment else None


if __name__ == "__main__":
    main()
