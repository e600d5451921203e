"""An engine and subscriptions whose answers a test controls, and a real server around them."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect

from app.auth import Authenticator
from app.connections.addresses import Addresses
from app.connections.connections import STATE, Connections
from app.connections.limits import ConnectionLimits
from app.http.graphql import GraphQLHttp
from app.server import server_config
from app.settings.own_hosts import LOOPBACK
from app.sse.endpoint import GraphQLEvents
from app.sse.services import StreamLimits, StreamServices
from app.telemetry.metrics import Metrics
from app.telemetry.outcomes import Outcomes
from app.websocket.endpoint import GraphQLWebSocket
from app.websocket.socket_services import SocketLimits, SocketServices
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.answer import Answer
from resolvers.documents.document import OperationKind
from resolvers.documents.request import Request
from resolvers.feeds.told import Direct
from resolvers.live.offer import Offer
from resolvers.live.payload import Payload
from tests.support.quick_server import QuickServer
from tests.support.waiting import within

T = TypeVar("T")

KEEPALIVES = ("ping", "ka")
# What the older subprotocol says in another word.
LEGACY = {"data": "next"}
LATER = b'{"data":{"later":"' + b"x" * 2_000_000 + b'"}}'


class FakeEngine:
    """Answers with what it was asked; the first word of the document decides. `mutation fails CODE` is refused with that code, before it
    runs, and `mutation breaks CODE` while it does.
    """

    def __init__(self) -> None:
        self.turns, self.ran = list[str](), list[str]()

    async def apart(self, principal: str, work: Callable[[], T], size: int = 0) -> T:  # noqa: ARG002
        self.turns.append(principal)
        return work()

    def may_batch(self, members: int, session: Session) -> None:
        """Any number may."""

    async def admit(self, request: Request, session: Session) -> None:
        """Nobody is counted."""

    async def kind(self, request: Request, session: Session) -> OperationKind:  # noqa: ARG002
        match request.query.split()[0]:
            case "subscription":
                return "subscription"
            case "mutation":
                return "mutation"
            case "query":
                return "query"
        raise GraphQLRefusal("validation-failed", "not a valid graphql query", "$.query")

    async def execute(self, request: Request, session: Session, context: object | None = None) -> Answer:
        self.ran.append(request.query)
        try:
            kind = await self.kind(request, session)
        except GraphQLRefusal as refused:
            return Answer.refused(refused)
        match request.query.split():
            case [_, "fails" | "breaks" as when, code]:
                refusal = GraphQLRefusal(code, "said so")
                return Answer(refusal.body(), kind, "Name", refusal, ran=when == "breaks")
        seen = {"role": session.role, "variables": dict(request.variables), "name": request.operation_name, "context": context}
        return Answer(orjson.dumps({"data": seen}), kind)


class FakeSubscriptions:
    """`subscription count N` counts to N; `wait` waits for ever; `large` sends as fast as it is taken; `lost` loses its right.

    `numbered N` counts with ids, by which a client goes on. `later` sends much when `later` is set, and then no more; what it offered
    can be had again. `page` is like it, but can't.
    """

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.later = asyncio.Event()
        self.offers: deque[Offer] = deque(maxlen=1000)

    async def subscribe(
        self,
        request: Request,
        session: Session,  # noqa: ARG002
        context: object | None = None,  # noqa: ARG002
        direct: Direct | None = None,  # noqa: ARG002
    ) -> AsyncGenerator[Offer, None]:
        _, name, *rest = request.query.split()
        self.open[name] += 1
        try:
            async for payload, event_id in self._numbered(name, rest, request.seen.seq if request.seen else 0):
                offer = Offer(Payload(payload), self._again if name == "later" else None, event_id=event_id)
                self.offers.append(offer)
                yield offer
                self.sent[name] += 1
        finally:
            self.open[name] -= 1

    async def _again(self) -> Payload:
        return Payload(LATER)

    async def _numbered(self, name: str, rest: list[str], seen: int) -> AsyncIterator[tuple[bytes, str | None]]:
        """The payloads with their ids."""
        if name == "numbered":
            for number in range(seen + 1, int(rest[0]) + 1):
                yield b'{"data":{"numbered":%d}}' % number, str(number)
            return
        async for payload in self._payloads(name, rest):
            yield payload, None

    async def _payloads(self, name: str, rest: list[str]) -> AsyncIterator[bytes]:
        match name:
            case "count":
                for number in range(int(rest[0])):
                    yield b'{"data":{"count":%d}}' % number
            case "wait":
                yield b'{"data":{"wait":true}}'
                await asyncio.Event().wait()
            case "large":
                while True:
                    yield b'{"data":{"large":"' + b"x" * 50_000 + b'"}}'
            case "later" | "page":
                yield b'{"data":{"later":false}}'
                await self.later.wait()
                yield LATER
                await asyncio.Event().wait()
            case "lost":
                yield b'{"data":{"lost":false}}'
                raise GraphQLRefusal("participant-kicked", "You were removed from this call.")


class FakeService:
    """All transports on one path, as the real service has them."""

    def __init__(
        self,
        authenticator: Authenticator,
        *,
        limits: SocketLimits | None = None,
        stream_limits: StreamLimits | None = None,
        connection_limits: ConnectionLimits | None = None,
        origins: Collection[str] = (),
        max_bytes: int = 4096,
        json_only: bool = False,
    ) -> None:
        self.engine, self.subscriptions, self.metrics = FakeEngine(), FakeSubscriptions(), Metrics()
        self._connection_limits = connection_limits or ConnectionLimits()
        clients = Addresses(self._connection_limits.per_address)
        self.services = SocketServices(
            self.engine,
            self.subscriptions,
            authenticator,
            self.metrics,
            Outcomes(self.metrics, "websocket"),
            _no_context,
            clients,
            limits or SocketLimits(),
        )
        self._authenticator, self._origins, self._clients = authenticator, origins, clients
        self._max_bytes, self._json_only, self._stream_limits = max_bytes, json_only, stream_limits or StreamLimits()
        self._websocket: ASGIApp = GraphQLWebSocket(self.services, allowed_origins=origins, own_hosts=LOOPBACK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            loop = asyncio.get_running_loop()
            scope["state"][STATE] = connections = Connections(self._connection_limits, loop, self.metrics.connection_ended)
            self._http = self._graphql_http(connections)
            await _no_lifespan(receive, send)
        else:
            await (self._http if scope["type"] == "http" else self._websocket)(scope, receive, send)

    def _graphql_http(self, connections: Connections) -> ASGIApp:
        services = StreamServices(
            self.engine,
            self.subscriptions,
            self._authenticator,
            self.metrics,
            Outcomes(self.metrics, "sse"),
            _no_context,
            self._clients,
            connections.farewells,
            self._stream_limits,
        )
        return GraphQLHttp(
            self.engine,
            self._authenticator,
            self.metrics,
            context_of=_no_context,
            max_bytes=self._max_bytes,
            json_only=self._json_only,
            events=GraphQLEvents(services, allowed_origins=self._origins, own_hosts=LOOPBACK, json_only=self._json_only),
        )


async def _no_lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """A real server on a free port, in this loop; yields its address and stops it at the end."""
    server = ToldServer(server_config(app, host="127.0.0.1", port=0))
    task = asyncio.create_task(server.serve())
    await server.is_up(task)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.stop()
    await task
    # Whoever was let in while it closed.
    await asyncio.sleep(0)
    for connection in list(server.server_state.connections):
        connection.transport.abort()


class ToldServer(QuickServer):
    """It says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._up = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._up.set()

    async def is_up(self, task: "asyncio.Task[None]") -> None:
        waiting = asyncio.create_task(self._up.wait())
        await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            await task
            raise AssertionError("the server did not start")


class Client:
    """A client of either subprotocol that shows every message, those of graphql-ws by the names of graphql-transport-ws."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._is_legacy = socket.subprotocol == "graphql-ws"

    async def send(self, **message: Any) -> None:
        await self.socket.send(orjson.dumps(message).decode())

    async def receive(self, seconds: float = 5) -> dict[str, Any]:
        """The next message but those that keep the connection alive."""
        while (message := await self.receive_any(seconds))["type"] in KEEPALIVES:
            pass
        return message

    async def receive_any(self, seconds: float = 5) -> dict[str, Any]:
        """The next message; it is always a text frame."""
        text = await within(self.socket.recv(), seconds)
        assert isinstance(text, str)
        message: dict[str, Any] = orjson.loads(text)
        if self._is_legacy:
            assert message["type"] != "next"
            message["type"] = LEGACY.get(message["type"], message["type"])
        return message

    async def init(self, headers: dict[str, str] | None = None) -> None:
        await self.send(type="connection_init", payload={"headers": headers or {}})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, query: str, operation: str = "1", **payload: Any) -> None:
        await self.begin(operation, {"query": query, **payload})

    async def begin(self, operation: str, payload: object) -> None:
        await self.send(type="start" if self._is_legacy else "subscribe", id=operation, payload=payload)

    async def complete(self, operation: str) -> None:
        await self.send(type="stop" if self._is_legacy else "complete", id=operation)

    async def closed(self) -> tuple[int | None, str]:
        """The close code and reason, once the server has closed."""
        await within(self.socket.wait_closed(), 5)
        return self.socket.close_code, self.socket.close_reason or ""


@asynccontextmanager
async def websocket(address: str, **options: Any) -> AsyncIterator[Client]:
    options.setdefault("subprotocols", ["graphql-transport-ws"])
    options.setdefault("compression", None)
    async with connect(f"ws://{address}/v1/graphql", **options) as socket:
        yield Client(socket)


def _no_context(_session: Session, _scope: Scope) -> object:
    return "context"
