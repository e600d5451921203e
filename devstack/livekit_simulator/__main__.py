"""`python -m devstack.livekit_simulator --port 7880 --webhook-url URL`, with LIVEKIT_API_KEY and LIVEKIT_API_SECRET set."""

import argparse
import os

import uvicorn

from devstack.livekit_simulator.rooms import RoomDefaults
from devstack.livekit_simulator.server import application
from devstack.livekit_simulator.simulator import Simulator


def main() -> None:
    """Serves one simulator on 127.0.0.1 until a signal."""
    parser = argparse.ArgumentParser(prog="livekit-simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=7880)
    parser.add_argument("--webhook-url")
    arguments = parser.parse_args()
    simulator = Simulator(
        api_key=os.environ["LIVEKIT_API_KEY"],
        api_secret=os.environ["LIVEKIT_API_SECRET"],
        webhook_url=arguments.webhook_url,
        defaults=RoomDefaults(departure_timeout=90, max_participants=110),
    )
    uvicorn.run(application(simulator), host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
