"""uvicorn, set up for GraphQL over HTTP and websockets, in one process or several."""

import functools
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from app.connections.http_protocol import BoundedHttpProtocol
from app.connections.limits import raise_descriptor_limit
from app.connections.websocket_protocol import BoundedWebSocketProtocol
from app.http.console import OfferedUser
from app.interpreter import load
from app.settings import Settings
from app.telemetry.logs import configure_logs
from app.with_parent import die_with_parent
from app.workers import Workers

log = structlog.get_logger(__name__)

# A client's whole message; larger documents go over HTTP.
MAX_FRAME_BYTES = 64 * 1024
PING_SECONDS = 20.0
# A worker answers its supervisor only when everything is imported; on a busy machine that takes its time.
WORKER_START_SECONDS = 60
SHUTDOWN_SECONDS = 4


def server_config(app: Any, **options: Any) -> uvicorn.Config:
    """How every server of ours runs, in tests too. Compression is off: it costs a live socket some 50 KB and each event twice."""
    return uvicorn.Config(
        app,
        loop="auto",
        http=BoundedHttpProtocol,
        ws=BoundedWebSocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=WORKER_START_SECONDS,
        backlog=2048,
        lifespan="on",
        **options,
    )


class Server(uvicorn.Server):
    """A signal that ended it in order is dealt with: uvicorn would send it again, and an exit status of 143 reads like a fault."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until a signal; a second SIGINT, which hurries the end, keeps its effect."""
        with self.capture_signals():
            await self._serve(sockets)
            if not self.force_exit:
                self._captured_signals.clear()


def run_server(settings: Settings, *, metadata: Path | None = None, offered_users: Sequence[OfferedUser] = ()) -> None:
    """Serves until SIGINT or SIGTERM, and returns; raises SystemExit when the service can't start.

    `metadata` serves foreign Hasura metadata instead of the product; the console offers `offered_users` to act as.
    Sockets are closed with 1012 (come back) at the end.
    """
    configure_logs(settings.log_level, settings.log_format)
    raise_descriptor_limit()
    listening = _listen(settings.host, settings.port)
    if settings.workers == 1:
        _serve(settings, metadata, offered_users, listening)
        return
    config = server_config(
        functools.partial(_create, settings, metadata, offered_users),
        factory=True,
        workers=settings.workers,
        forwarded_allow_ips=list(settings.trusted_proxies),
    )
    with tempfile.TemporaryDirectory(prefix="nchat-rtc-metrics-") as shared:
        # prometheus-client reads this variable when it is first imported in a worker.
        # A folder of this run: in one that is named from outside the numbers of the run before would still count.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        Workers(config, [listening]).run()


def _serve(settings: Settings, metadata: Path | None, offered_users: Sequence[OfferedUser], listening: socket.socket) -> None:
    app = _create(settings, metadata, offered_users)
    server = Server(server_config(app, forwarded_allow_ips=list(settings.trusted_proxies)))
    server.run([listening])
    if not server.started:
        sys.exit(1)


def _create(settings: Settings, metadata: Path | None, offered_users: Sequence[OfferedUser]) -> Any:
    """The application, in the process that serves it: a worker is a new interpreter that knows nothing of its parent's logs.

    The service is imported here: a supervisor, and a start that is refused, need none of it.
    """
    load()
    configure_logs(settings.log_level, settings.log_format)
    from app.reloading import note_hangups

    note_hangups()
    _die_with_parent()
    from app.asgi import create_app

    return create_app(settings, metadata=metadata, offered_users=offered_users)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what is accepted; without, an answer waits 40 ms for an acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        log.error("port_not_available", host=host, port=port, reason=error.strerror)
        sys.exit(f"Port {port} on {host} can't be used: {error.strerror}. Choose another one with --port or NCHAT_PORT.")
    return listening


def _die_with_parent() -> None:
    """A worker whose supervisor was killed has nobody to stop it."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None and supervisor.pid is not None:
        die_with_parent(signal.SIGTERM, supervisor.pid)
