"""Service processes that die by SIGKILL at a chosen point: `python -m tests.support.serve_killable DATABASE_URL`.

One JSON line on stdin starts one: `{"port", "database_url", "livekit_url", "die_at", "more"}`, `more` being settings. On stdout it says
`forked PORT PID`, `ready PORT PID` and `killed PORT POINT`. Everything is imported, and the GraphQL schemas are made, once; each service is
a fork of that.
"""

import os
import signal
import socket
import sys
from dataclasses import dataclass
from typing import Any

import orjson
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import app.product
from app.asgi import create_app
from app.server import server_config
from app.telemetry.logs import configure_logs
from tests.support.call_sites import site
from tests.support.kept_schemas import make_schemas
from tests.support.whole_service import settings


def say(word: str, port: int, what: object) -> None:
    """One write, whole or not at all, also just before the end."""
    os.write(1, f"{word} {port} {what}\n".encode())


@dataclass(slots=True)
class KillSwitch:
    """Hears of every commit and every call of a port, and ends the process at `die_at`."""

    port: int
    die_at: str | None = None

    def __call__(self, moment: str) -> None:
        if self.die_at is not None and self.die_at in (moment, f"{moment}@{site(sys._getframe(1))}"):
            say("killed", self.port, self.die_at)
            os.kill(os.getpid(), signal.SIGKILL)

    async def arm(self, request: Request) -> Response:
        self.die_at = (await request.body()).decode()
        return Response()


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, port: int) -> None:
        super().__init__(config)
        self._port = port

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            say("ready", self._port, os.getpid())


def serve(port: int, database_url: str, livekit_url: str, die_at: str | None, more: dict[str, object]) -> None:
    """Serves until it is killed."""
    kill_switch = KillSwitch(port, die_at)
    # Nobody listens there.
    given = settings(database_url, livekit_url, push_webhook_url="http://127.0.0.1:9/", push_webhook_secret="A" * 32, **more)
    configure_logs("error", given.log_format)
    app = create_app(given, observe=kill_switch)
    app.router.routes.append(Route("/die-at", kill_switch.arm, methods=["POST"]))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        Server(server_config(app), port).run([listening])


def main() -> None:
    assert app.product
    make_schemas(sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while line := sys.stdin.readline():
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            order = orjson.loads(line)
            say("forked", order["port"], os.getpid())
            serve(**order)
            os._exit(1)


if __name__ == "__main__":
    main()
