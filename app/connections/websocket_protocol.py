"""uvicorn's websocket protocol with bounds: on the messages of a client, and on what a client that does not read makes us hold."""

import asyncio
from typing import Any, cast

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request

from app.connections.addresses import client_of
from app.connections.connections import connections_of
from app.connections.endings import TOO_MANY_MESSAGES, Ending
from app.connections.message_budget import MessageBudget, cost_of
from app.connections.waiting_messages import WaitingMessages

# The key of the scope's extensions under which an application finds whether its client takes what was sent (`Drain`).
DRAIN = "nchat.drain"
# Seconds that a closing connection may take to flush what it holds.
FLUSH_TIMEOUT = 2.0
# And so many where the application closes it: what a slow client needs to read why.
CLOSE_TIMEOUT = 5.0
# So many bytes are parsed at a time: 300 frames at most, two milliseconds.
SLICE_BYTES = 2048
# And so many of one of many websockets that send too much together: each of them has its slice before the loop turns.
SHORT_SLICE_BYTES = 64
# Seconds until an overdrawn client is read again.
PAUSE_SECONDS = 1.0
TOO_MANY = 4429


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """One websocket. Nothing is read while the application has a message to take, the client answers to take, or its budget is spent."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.queue = cast("asyncio.Queue[ASGIReceiveEvent]", WaitingMessages())
        self._all = connections_of(app_state, self.loop)
        limits = self._all.limits
        now = self.loop.time()
        self._budget = MessageBudget(limits.messages_per_second, limits.messages_at_once, now)
        self._person = MessageBudget(limits.person_messages_per_second, limits.person_messages_at_once, now)
        self._client: MessageBudget | None = None
        self._overdrawn_seconds = limits.overdrawn_seconds
        self._line_kept = False
        self._unparsed = bytearray()
        self._held = 0
        self._pause: asyncio.TimerHandle | None = None

    # The connection

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            # ASGI types an extension as a dictionary; this one is an object.
            cast(dict[str, Any], self.scope["extensions"])[DRAIN] = self

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "websocket.close":
            self._abort_later(CLOSE_TIMEOUT)
        await super().send(message)
        if message["type"] == "websocket.accept":
            # The scope has headers of its own, and these would live as long as the connection.
            self.request.headers.clear()
            del self.request, self.response

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.leave(self)
        self._unparsed.clear()
        if self._pause is not None:
            self._pause.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._all.slow(self)
        self._read_if_ready()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._all.fast_again(self)
        self._parse()

    def send_keepalive_ping(self) -> None:
        if self.writable.is_set():
            super().send_keepalive_ping()
        else:
            # It would arrive behind all that the client has yet to take; whether it takes anything is watched by itself.
            self.schedule_ping()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._abort_later()

    def shutdown(self) -> None:
        """In its turn it is told to come back, to whoever serves then: close code 1012."""
        self._all.say_farewell()
        self.loop.call_later(self._all.farewells.delay(), self._say_farewell)

    def _say_farewell(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()
            self._abort_later()

    # Those who watch over all connections

    def silent_since(self) -> float | None:
        return None

    def unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def held(self) -> int:
        return self.transport.get_write_buffer_size() + self._held

    def overdue(self, now: float) -> Ending | None:
        if self.close_sent or self.transport.is_closing():
            return None
        return TOO_MANY_MESSAGES if self._budget.overdrawn_for(now) > self._overdrawn_seconds else None

    def end(self, ending: Ending) -> None:
        if ending is TOO_MANY_MESSAGES and self.handshake_complete:
            self.conn.fail(TOO_MANY, "Too many messages")
            self.transport.write(b"".join(part for part in self.conn.data_to_send() if part))
            self.close_sent = True
            self.transport.close()
            self._abort_later()
        else:
            self.transport.abort()

    def _abort_later(self, seconds: float = FLUSH_TIMEOUT) -> None:
        """asyncio's `transport.close()` waits for the flush: with a client that does not read for ever."""
        if self.transport.get_write_buffer_size():
            self.loop.call_later(seconds, self.transport.abort)

    # What the application knows of its client, and may know

    def comes_from(self, host: str) -> None:
        """The client's address, which may be behind a proxy. All its websockets have a budget together."""
        self._client = self._all.budgets.of(client_of(host), self.loop.time())

    def is_full(self) -> bool:
        """Whether the client has yet to take what was sent before."""
        return not self.disconnected and self.transport.get_write_buffer_size() > HIGH_WATER_LIMIT

    async def drained(self) -> None:
        """Returns when the client took nearly all that was sent, or is gone."""
        if self.is_full():
            # The transport sends at the end of this turn of the loop; only then is it known whether it will call `resume_writing`.
            await asyncio.sleep(0)
        await self.writable.wait()

    async def send_text(self, text: bytes) -> None:
        """A message that is UTF-8 already; a long one would be copied four times on its way as a string. Raises ClientDisconnected."""
        await self.writable.wait()
        if self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        try:
            self.conn.send_text(text)
        except InvalidState:
            raise ClientDisconnected from None
        self.transport.writelines(self.conn.data_to_send())

    def write_now(self, frames: bytes) -> bool:
        """Whole frames that others get as well: no message of our own is cut in pieces, so that they may stand between any two."""
        transport = self.transport
        if self._line_kept or self.close_sent or transport.is_closing():
            return False
        # Asked for every delivery to everybody: of most nothing waits.
        if transport.get_write_buffer_size() and (not self.writable.is_set() or self.is_full()):
            return False
        transport.write(frames)
        return True

    def keep_line(self, kept: bool) -> None:
        """While it is kept nothing is written at once."""
        self._line_kept = kept

    def hold(self, size: int) -> None:
        """So many bytes more (or less) wait in the application to be sent."""
        self._held += size
        # Without that the transport is about to say by itself that the client is slow.
        if size > 0 and not self.writable.is_set() and not self.transport.is_closing():
            self._all.slow(self)

    # Messages

    def data_received(self, data: bytes) -> None:
        self._unparsed += data
        self._parse()

    def handle_events(self) -> None:
        # Unpacked: a compressed message is as long as what is read of it.
        cost, now = sum(cost_of(len(event.data)) for event in self.conn.events if isinstance(event, Frame)), self.loop.time()
        for budget in (self._budget, self._person, self._client):
            if budget is not None:
                budget.spend(cost, now)
        super().handle_events()

    async def receive(self) -> ASGIReceiveEvent:
        message = await self.queue.get()
        if self._unparsed:
            # In a turn of the loop of its own: others are read in between.
            self.loop.call_soon(self._parse)
        else:
            self._read_if_ready()
        return message

    def _parse(self) -> None:
        while self._unparsed and self._is_ready():
            size = SHORT_SLICE_BYTES if self._is_of_many(self.loop.time()) else SLICE_BYTES
            part = bytes(self._unparsed[:size])
            del self._unparsed[:size]
            super().data_received(part)
        self._read_if_ready()

    def _is_ready(self) -> bool:
        if self.transport.is_closing() or not self.writable.is_set():
            return False
        # Once closed the application takes nothing any more; what comes is the client's own close.
        if not self.queue.empty() and not self.close_sent:
            return False
        if not self._overdrawn(self.loop.time()):
            return True
        if self._pause is None:
            self._pause = self.loop.call_later(PAUSE_SECONDS, self._after_pause)
        return False

    def _overdrawn(self, now: float) -> bool:
        """By itself, or as one of many websockets of a client that sends too much; not one that a person uses beside those."""
        return self._budget.overdrawn(now) or (self._is_of_many(now) and self._person.overdrawn(now))

    def _is_of_many(self, now: float) -> bool:
        return self._client is not None and self._client.overdrawn(now)

    def _after_pause(self) -> None:
        self._pause = None
        self._parse()

    def _read_if_ready(self) -> None:
        if self.transport.is_closing():
            return
        wanted = not self._unparsed and self._is_ready()
        if wanted and self.read_paused:
            self.transport.resume_reading()
        elif not wanted and not self.read_paused:
            self.transport.pause_reading()
        self.read_paused = not wanted
