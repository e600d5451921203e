"""The worker that takes encoders as a child process."""

import os
import sys
from pathlib import Path
from typing import ClassVar

from devstack.livekit_server import LiveKitServer
from devstack.workers import TurnableWorker


class IngestWorker(TurnableWorker):
    """A running worker on this Redis; `turn` turns what `Knobs` has, `running` are ids of ingresses."""

    name: ClassVar[str] = "ingest worker"


def start(*, livekit: LiveKitServer, redis: str, log: Path) -> IngestWorker:
    """Starts it on the Redis (`host:port`) of that livekit-server, at the addresses that livekit-server gives to encoders.

    Raises WorkerDidNotStart, ValueError for a livekit-server that gives none.
    """
    if livekit.ingress is None:
        raise ValueError("this livekit-server gives encoders no address")
    environment = {**os.environ, "LIVEKIT_API_KEY": livekit.api_key, "LIVEKIT_API_SECRET": livekit.api_secret}
    command = [sys.executable, "-m", "devstack.ingest", "--redis", f"redis://{redis}", "--livekit", livekit.ws_url]
    command += ["--rtmp-port", str(livekit.ingress.rtmp_port), "--whip-port", str(livekit.ingress.whip_port)]
    return IngestWorker(command, log=log, env=environment)
