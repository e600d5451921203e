"""uvicorn's HTTP protocol with bounds: on what is sent before a request is there, on how long it may take, on what is not read."""

import asyncio
from enum import Enum, auto
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from app.connections import endings
from app.connections.connections import Connection
from app.connections.endings import Ending
from app.connections.head_with_body import HeadWithBody
from app.connections.interruptible import Interruptible
from app.connections.request_bounds import BoundedRequests

# A client that hung up: a quick statement ends by itself sooner than PostgreSQL can be told to stop it.
HANG_UP_GRACE = 0.1
# Seconds for a client to take its refusal before the connection is gone.
LINGER_SECONDS = 2.0


class Awaits(Enum):
    """What a connection waits for; each but the answer, which is our own work, has a deadline."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    # What is left of the body of a request that was answered already.
    REST = auto()
    # The client takes the last that is said to it and goes.
    FAREWELL = auto()


class BoundedHttpProtocol(BoundedRequests):
    """One HTTP connection. What is overridden here is in uvicorn unbounded, quadratic, or a timer for each request."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.app = Interruptible(self.app)
        self._awaits = Awaits.REQUEST
        self._began = self.loop.time()
        self._served = False
        self._full = False
        self._running: RequestResponseCycle | None = None
        self._task: asyncio.Task[None] | None = None

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        ending = self._all.admit(self, self.client[0] if self.client else None)
        if ending is not None:
            self._refused = ending
            transport.write(ending.response())
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.leave(self)
        self.pipeline.clear()
        super().connection_lost(exc)
        if self._task is not None and not self._task.done():
            self.loop.call_later(HANG_UP_GRACE, self._task.cancel)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._all.slow(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._all.fast_again(self)
        if self._full:
            self._go_on()

    def shutdown(self) -> None:
        """What is complete is answered, a stream ends in its turn; what is half sent is not waited for."""
        self._all.say_farewell()
        if self._awaits is Awaits.ANSWER and self._running is not None:
            self._running.keep_alive = False
            self.pipeline.clear()
        elif self._awaits in (Awaits.HEAD, Awaits.BODY):
            self.transport.write(endings.SHUTTING_DOWN.response())
            self._close_soon()
        else:
            self._close_soon()

    def _close_soon(self) -> None:
        """A client that takes nothing would keep the connection for ever."""
        self.transport.close()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    # Those who watch over all connections

    def silent_since(self) -> float | None:
        """A client that works on its request may be dropped in favour of another; one that waits for us may not."""
        return None if self._awaits is Awaits.ANSWER else self._began

    def unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def held(self) -> int:
        return self.transport.get_write_buffer_size()

    def overdue(self, now: float) -> Ending | None:
        waited = now - self._began
        if self._awaits is not Awaits.FAREWELL and self.transport.is_closing():
            return None
        match self._awaits:
            case Awaits.REQUEST:
                late = waited > (self._limits.idle_seconds if self._served else self._limits.first_byte_seconds)
                return endings.IDLE if late else None
            case Awaits.HEAD:
                return endings.HEAD_TOO_SLOW if waited > self._limits.head_seconds else None
            case Awaits.BODY:
                allowed = self._limits.body_seconds + self._body_bytes / self._limits.body_bytes_per_second
                return endings.BODY_TOO_SLOW if waited > allowed else None
            case Awaits.REST:
                return endings.BODY_TOO_SLOW if waited > self._limits.rest_seconds else None
            case Awaits.FAREWELL:
                # Of more than the transport's mark it is watched how fast it shrinks.
                return endings.UNREAD if waited > self._limits.unread_seconds and not self.flow.write_paused else None
        return None

    def end(self, ending: Ending) -> None:
        if self._awaits in (Awaits.HEAD, Awaits.BODY) and ending.status is not None and not self.flow.write_paused:
            self._say_and_close(ending)
        elif self.unsent() or self._awaits is Awaits.FAREWELL:
            self.transport.abort()
        else:
            self._close_soon()

    def _say_and_close(self, ending: Ending) -> None:
        """Its words reach the client only if what it still sends is not answered with a reset: nothing more is read, nor closed yet."""
        self._refused = ending
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(ending.response())
        self.flow.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._await(Awaits.FAREWELL)
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _await(self, what: Awaits) -> None:
        self._awaits = what
        self._began = self.loop.time()

    # Bytes

    def data_received(self, data: bytes) -> None:
        if self._refused is not None:
            return
        if self._awaits is Awaits.REQUEST:
            self._await(Awaits.HEAD)
        before = self._progress()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._refused or endings.NOT_HTTP)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._unsupported_upgrade_warning()
        else:
            if self._in_head and self._head_is_too_large(len(data)):
                self._refuse(endings.HEAD_TOO_LARGE)
            elif not self._in_head and self._is_fruitless(len(data), before):
                self._refuse(endings.BODY_TOO_FINE if self._in_message else endings.NOT_HTTP)

    def _refuse(self, ending: Ending) -> None:
        self._refused = self._all.count(ending)
        if self._awaits is not Awaits.ANSWER:
            self._say_and_close(ending)
        elif self._running is not None:
            # What came before is answered, this is not.
            self._running.keep_alive = False
            self.pipeline.clear()

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        self._all.hand_over(self, cast(Connection, self.transport.get_protocol()))

    # Requests

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._awaits is Awaits.HEAD:
            self._await(Awaits.BODY)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._awaits is Awaits.BODY:
            self._awaits = Awaits.ANSWER
        elif self._awaits is Awaits.REST:
            self._await(Awaits.REQUEST)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        cycle.transport = HeadWithBody(self.transport, cycle)
        self._task = task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._served = True
        if self.transport.is_closing():
            self._await(Awaits.FAREWELL)
            return
        if self.transport.get_write_buffer_size() > HIGH_WATER_LIMIT:
            # The next answer is not made before this one is taken.
            self._full = True
            self.flow.pause_reading()
            self.loop.call_soon(self._go_on_unless_full)
        else:
            self._go_on()

    def _go_on_unless_full(self) -> None:
        """After the transport has tried to send: now it is known whether it will call `resume_writing`."""
        if self._full and not self.flow.write_paused:
            self._go_on()

    def _go_on(self) -> None:
        self._full = False
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            half_sent = self._in_message and not self._in_head and not self.pipeline
            self._await(Awaits.BODY if half_sent else Awaits.ANSWER)
            self._start_asgi_task(cycle, app)
        elif self._in_message:
            self._await(Awaits.HEAD if self._in_head else Awaits.REST)
        else:
            self._await(Awaits.REQUEST)
