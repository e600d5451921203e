"""`python -m devstack.ingest --redis URL --livekit URL …`, with LIVEKIT_API_KEY and LIVEKIT_API_SECRET set."""

import argparse
import asyncio
import os
from collections.abc import Mapping

import uvicorn
from starlette.applications import Starlette

from devstack.ingest.knobs import Knobs
from devstack.ingest.rtmp import listening
from devstack.ingest.whip import whip
from devstack.ingest.worker import Worker
from devstack.media.bus import Bus
from devstack.media.seat import Site
from devstack.workers.knobs import application


def main() -> None:
    """Works until a signal; who is on the air then is gone, as with a killed worker."""
    parser = argparse.ArgumentParser(prog="ingest", description=__doc__)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--livekit", required=True)
    parser.add_argument("--rtmp-port", type=int, required=True, help="of encoders, on 127.0.0.1")
    parser.add_argument("--whip-port", type=int, required=True, help="of browsers, on 127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="of the knobs, on 127.0.0.1")
    asyncio.run(_work(parser.parse_args(), os.environ))


async def _work(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    knobs = Knobs()
    site = Site(arguments.livekit, environment["LIVEKIT_API_KEY"], environment["LIVEKIT_API_SECRET"])
    async with Bus(arguments.redis).running() as bus:
        worker = Worker(bus, site, knobs)
        await worker.open()
        async with (
            listening("127.0.0.1", arguments.rtmp_port, worker.authorize),
            whip(bus, worker, site) as browsers,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(_serve(browsers, arguments.whip_port))
            group.create_task(_serve(application(knobs, lambda: worker.running.keys()), arguments.port))


async def _serve(app: Starlette, port: int) -> None:
    await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)).serve()


if __name__ == "__main__":
    main()
