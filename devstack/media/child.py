"""The worker that records as a child process."""

import os
import sys
from pathlib import Path
from typing import ClassVar

from devstack.livekit_server import LiveKitServer
from devstack.store import StorageAddress
from devstack.workers import TurnableWorker


class MediaWorker(TurnableWorker):
    """A running worker on this Redis; `turn` turns what `Knobs` has."""

    name: ClassVar[str] = "media worker"


def start(
    *,
    livekit: LiveKitServer,
    redis: str,
    storage: StorageAddress | None,
    log: Path,
    blank: bool = False,
    slots: int | None = None,
) -> MediaWorker:
    """Starts it on the Redis (`host:port`) of that livekit-server; `blank` writes objects without media. Raises WorkerDidNotStart."""
    environment = {**os.environ, "LIVEKIT_API_KEY": livekit.api_key, "LIVEKIT_API_SECRET": livekit.api_secret}
    if storage is not None:
        environment |= {
            "NCHAT_STORE_ENDPOINT": storage.endpoint,
            "NCHAT_STORE_BUCKET": storage.bucket,
            "NCHAT_STORE_ACCESS_KEY": storage.access_key,
            "NCHAT_STORE_SECRET_KEY": storage.secret_key,
        }
    command = [sys.executable, "-m", "devstack.media", "--redis", f"redis://{redis}", "--livekit", livekit.ws_url]
    command += ["--blank"] if blank else []
    command += ["--slots", str(slots)] if slots is not None else []
    return MediaWorker(command, log=log, env=environment)
