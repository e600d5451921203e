"""uvicorn's protocols without a network: a loop whose clock a test turns, a transport that takes what the test lets it take."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from uvicorn.server import ServerState

from app.connections.connections import STATE, Connections
from app.connections.http_protocol import BoundedHttpProtocol
from app.connections.limits import ConnectionLimits
from app.connections.websocket_protocol import BoundedWebSocketProtocol
from app.server import server_config


class Loop(asyncio.BaseEventLoop):
    """Time stands still until `turn` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.tasks: list[Coroutine[Any, Any, Any]] = []
        self._later: list[tuple[float, Callable[..., object], tuple[Any, ...], asyncio.TimerHandle]] = []

    def time(self) -> float:
        return self.now

    def is_closed(self) -> bool:
        """It was never open: there is nothing to warn of."""
        return True

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, **_options: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        handle = asyncio.TimerHandle(self.now + delay, callback, args, self)
        self._later.append((self.now + delay, callback, args, handle))
        return handle

    def call_soon(self, callback: Callable[..., object], *args: Any, **_options: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        return self.call_later(0, callback, *args)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass

    def create_task(self, coroutine: Any, **_options: Any) -> Any:  # type: ignore[override]
        """Nothing runs: what would have is closed and counted."""
        coroutine.close()
        self.tasks.append(coroutine)
        return Task()

    def turn(self, seconds: float) -> None:
        """So much later, with all that was due until then."""
        ends = self.now + seconds
        while due := sorted((entry for entry in self._later if entry[0] <= ends), key=lambda entry: entry[0]):
            at, callback, args, handle = due[0]
            self._later.remove(due[0])
            self.now = max(self.now, at)
            if not handle.cancelled():
                callback(*args)
        self.now = ends


class Task:
    """A request that never ends by itself."""

    def __init__(self) -> None:
        self.cancelled = False

    def add_done_callback(self, _callback: object) -> None:
        pass

    def done(self) -> bool:
        return self.cancelled

    def cancel(self) -> None:
        self.cancelled = True


class Transport(asyncio.Transport):
    """Keeps what was written; `unsent` is what the client has not taken."""

    def __init__(self, host: str = "203.0.113.7") -> None:
        super().__init__({"peername": (host, 40000), "sockname": ("127.0.0.1", 8000)})
        self.written = b""
        self.writes = 0
        self.unsent = 0
        self.reading = True
        self.closed = self.aborted = False
        self.protocol: Any = None

    def write(self, data: Any) -> None:
        self.written += data
        self.writes += 1

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol  # type: ignore[no-any-return]


class Served:
    """One process's connections, made by hand."""

    def __init__(self, **limits: Any) -> None:
        self.loop = Loop()
        self.ended: list[str] = []
        self.all = Connections(ConnectionLimits(**limits), self.loop, self.ended.append)
        self._config = server_config(_nothing)
        self._state = ServerState()

    def http(self, host: str = "203.0.113.7") -> tuple[BoundedHttpProtocol, Transport]:
        """A new HTTP connection."""
        protocol = BoundedHttpProtocol(self._config, self._state, {STATE: self.all}, self.loop)
        return protocol, self._connected(protocol, host)

    def websocket(self, host: str = "203.0.113.7") -> tuple[BoundedWebSocketProtocol, Transport]:
        """A connection that was upgraded and accepted."""
        http, transport = self.http(host)
        # uvicorn lets the new protocol find its loop by itself.
        asyncio.set_event_loop(self.loop)
        http.data_received(
            b"GET /v1/graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        asyncio.set_event_loop(None)
        protocol = transport.protocol
        assert isinstance(protocol, BoundedWebSocketProtocol)
        # As when the application took the connection and waits for messages.
        protocol.queue.get_nowait()
        protocol.conn.send_response(protocol.response)
        protocol.conn.data_to_send()
        protocol.handshake_complete = True
        return protocol, transport

    def _connected(self, protocol: BoundedHttpProtocol, host: str) -> Transport:
        transport = Transport(host)
        transport.protocol = protocol
        protocol.connection_made(transport)
        return transport


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that is never run."""
