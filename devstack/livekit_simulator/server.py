"""The simulator's HTTP face: Twirp, health, and a clear no to media."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstack.livekit_simulator.auth import InvalidToken
from devstack.livekit_simulator.control import control_routes
from devstack.livekit_simulator.room_service import METHODS
from devstack.livekit_simulator.simulator import Simulator
from devstack.livekit_simulator.twirp import JSON, PROTOBUF, TwirpError, bad_route, decode, encode

BODY_LIMIT: Final = 10 << 20
NO_MEDIA: Final = "this is the LiveKit simulator: no client can join media here; `make livekit` installs a real server"


def application(simulator: Simulator) -> Starlette:
    """The ASGI app of a simulator; its lifespan runs the timers."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with simulator.running():
            yield

    api_face = RoomServiceEndpoint(simulator)
    routes = [
        Route("/", healthy, methods=["GET"]),
        Route("/twirp/livekit.RoomService/{method}", api_face.answer, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
        Route("/rtc/{rest:path}", no_media),
        Route("/rtc", no_media),
        *control_routes(simulator),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def healthy(_request: Request) -> Response:
    return PlainTextResponse("OK")


async def no_media(_request: Request) -> Response:
    return PlainTextResponse(NO_MEDIA, status_code=501)


class RoomServiceEndpoint:
    """One RoomService call in the order of the real server: token, route, body, grant, answer."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def answer(self, request: Request) -> Response:
        await self._simulator.clock.sleep(self._simulator.faults.latency)
        broken = self._simulator.faults.status
        status = broken.get(request.path_params["method"], broken.get("*"))
        if status is not None:
            return Response("<html>broken</html>", status_code=status, media_type="text/html")
        try:
            return await self._call(request)
        except InvalidToken as error:
            return PlainTextResponse(str(error), status_code=401)
        except TwirpError as error:
            await self._simulator.clock.sleep(error.after)
            return error.response()

    async def _call(self, request: Request) -> Response:
        grants = self._simulator.keys.grants(request.headers.get("authorization"))
        path, content_type = request.url.path, request.headers.get("content-type", "").split(";")[0].strip()
        if request.method != "POST":
            raise bad_route(f'unsupported method "{request.method}" (only POST is allowed)', request.method, path)
        method = METHODS.get(request.path_params["method"])
        if method is None:
            raise bad_route(f'no handler for path "{path}"', request.method, path)
        if content_type not in (JSON, PROTOBUF):
            raise bad_route(f'unexpected Content-Type: "{content_type}"', request.method, path)
        body = await request.body()
        if len(body) > BODY_LIMIT:
            raise TwirpError("malformed", "request body too large")
        message = method.request()
        decode(message, body, content_type)
        return encode(method.answer(self._simulator.rooms, grants, message), content_type)
