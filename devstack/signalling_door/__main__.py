"""`python -m devstack.signalling_door --port 7800 --livekit http://127.0.0.1:7880 --admit http://127.0.0.1:8000/api/livekit/admit`."""

import argparse
import asyncio

from devstack.signalling_door.proxy import Door


def main() -> None:
    """Serves until a signal."""
    parser = argparse.ArgumentParser(prog="signalling-door", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--livekit", required=True)
    parser.add_argument("--admit", required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(Door(arguments.livekit, arguments.admit), arguments.port))


async def serve(door: Door, port: int) -> None:
    async with door.open(port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
