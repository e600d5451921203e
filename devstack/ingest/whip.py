"""WHIP without a media engine: a stream key is exchanged for an access token, and livekit-server's own WHIP endpoint takes the media.

Nothing is decoded or encoded: what a browser sends is what the room gets. livekit-server says on the bus how such a session goes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import structlog
from google.protobuf.empty_pb2 import Empty
from livekit import api
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstack.ingest.on_air import Report, participant_token
from devstack.ingest.rtmp import PublishRefused
from devstack.ingest.worker import Worker
from devstack.media.bus import Bus, Method, Service
from devstack.media.bus.channels import new_id
from devstack.media.bus.messages import WHIPRTCConnectionNotifyRequest
from devstack.media.seat import Site

log = structlog.get_logger()
PATH: Final = "/w"
# Seconds, for as long as livekit-server itself is silent.
LOOK_PAUSE: Final = 0.5
LOOKS: Final = 20
NOTIFY: Final = "WHIPRTCConnectionNotify"
Status = api.IngressState
ANYBODY: Final = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], expose_headers=["*"])


class WhipSession:
    """One browser on the air; `over` is called when livekit-server says that it is."""

    def __init__(self, info: Any, sid: str, report: Report, hang_up: Callable[[], Awaitable[None]]) -> None:
        self.info, self.sid, self._report, self._hang_up = info, sid, report, hang_up
        self.state = Status(status=Status.ENDPOINT_BUFFERING, started_at=time.time_ns(), resource_id=new_id("WH_"))
        self._ending: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self.tell(Status.ENDPOINT_BUFFERING)

    async def notified(self, note: Any) -> Empty:
        """What livekit-server says: who is connected with what, every 10 s, and that it is over."""
        if note.closed:
            self._end_soon()
        elif note.HasField("video") or note.HasField("audio"):
            self.state.video.CopyFrom(note.video)
            self.state.audio.CopyFrom(note.audio)
            await self.tell(Status.ENDPOINT_PUBLISHING)
        return Empty()

    async def end(self) -> None:
        """Returns when the participant is gone and livekit-server knows the state."""
        await asyncio.shield(self._end_soon())

    async def tell(self, status: Any) -> None:
        self.state.status, self.state.updated_at = status, time.time_ns()
        told = Status()
        told.CopyFrom(self.state)
        await self._report(self.info.ingress_id, told)

    def _end_soon(self) -> "asyncio.Task[None]":
        if self._ending is None:
            self._ending = asyncio.create_task(self._leave())
        return self._ending

    async def _leave(self) -> None:
        await self._hang_up()
        self.state.ended_at = time.time_ns()
        await self.tell(Status.ENDPOINT_INACTIVE)


class Whip:
    """The endpoint at PATH: POST with the key as bearer or behind the path, DELETE of the address that it gave."""

    def __init__(self, bus: Bus, worker: Worker, site: Site, http: aiohttp.ClientSession) -> None:
        self._bus, self._worker, self._site, self._http = bus, worker, site, http
        self._notes = Service(bus, "IngressHandler")
        self._url = site.url.replace("ws", "http", 1)
        self._sessions: dict[str, WhipSession] = {}

    def application(self) -> Starlette:
        routes = [
            Route(PATH, self._publish, methods=["POST"]),
            Route(PATH + "/{key}", self._publish, methods=["POST"]),
            Route(PATH + "/sessions/{sid}", self._delete, methods=["DELETE"]),
        ]
        return Starlette(routes=routes, middleware=[ANYBODY])

    async def _publish(self, request: Request) -> Response:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        try:
            info = await self._worker.ingress_of(request.path_params.get("key") or bearer, api.IngressInput.WHIP_INPUT)
        except PublishRefused as refused:
            return PlainTextResponse(str(refused), 404)
        token = participant_token(self._site, info)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp", "X-Livekit-Ingress": "1"}
        async with self._http.post(f"{self._url}/whip/v1", data=await request.body(), headers=headers) as answer:
            body = await answer.text()
            if answer.status != 201:
                return PlainTextResponse(body, answer.status)
            sid = answer.headers["Location"].rpartition("/")[2]
        await self._seat(info, sid, token)
        return Response(body, 201, {"Location": f"{PATH}/sessions/{sid}"}, "application/sdp")

    async def _seat(self, info: Any, sid: str, token: str) -> None:
        async def hang_up() -> None:
            # It may have gone by itself.
            async with self._http.delete(f"{self._url}/whip/v1/{sid}", headers={"Authorization": f"Bearer {token}"}):
                pass
            del self._sessions[sid]
            await self._notes.withdraw(NOTIFY, sid)
            await self._worker.forget(info.ingress_id)

        session = self._sessions[sid] = WhipSession(info, sid, self._worker.report, hang_up)
        await self._worker.put_on_air(session)
        await self._notes.offer(Method(NOTIFY, WHIPRTCConnectionNotifyRequest, session.notified, queue=True, claim=False), sid)
        await session.begin()
        self._bus.spawn(self._look_for_tracks(session))

    async def _look_for_tracks(self, session: WhipSession) -> None:
        """livekit-server's first word of a session comes before anybody can listen, and the next 10 s later."""
        livekit = api.LiveKitAPI(self._url, self._site.api_key, self._site.api_secret, session=self._http)
        wanted = api.RoomParticipantIdentity(room=session.info.room_name, identity=session.info.participant_identity)
        for _ in range(LOOKS):
            await asyncio.sleep(LOOK_PAUSE)
            if session.sid not in self._sessions or session.state.status == Status.ENDPOINT_PUBLISHING:
                return
            try:
                who = await livekit.room.get_participant(wanted)
            except api.TwirpError as error:
                log.info("whip_participant_not_seen", ingress=session.info.ingress_id, code=error.code)
                continue
            if who.tracks:
                await session.tell(Status.ENDPOINT_PUBLISHING)

    async def _delete(self, request: Request) -> Response:
        session = self._sessions.get(request.path_params["sid"])
        if session is None:
            return PlainTextResponse("no such session", 404)
        await session.end()
        return Response()


@asynccontextmanager
async def whip(bus: Bus, worker: Worker, site: Site) -> AsyncIterator[Starlette]:
    """The application, whose requests to livekit-server work inside the block."""
    async with aiohttp.ClientSession() as http:
        yield Whip(bus, worker, site, http).application()
