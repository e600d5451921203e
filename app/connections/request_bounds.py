"""What the bytes of one HTTP request may be: its line and headers in size and number, its body in pieces, none waiting behind too many."""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.connections import endings
from app.connections.connections import connections_of
from app.connections.endings import Ending


class RefusedRequest(Exception):
    """Leaves the parser's callbacks; why is kept by the protocol."""


class BoundedRequests(HttpToolsProtocol):
    """The parser's callbacks, each with its bound: what is past it is not parsed on."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = connections_of(app_state, self.loop)
        self._limits = self._all.limits
        self._most_bytes, self._most_headers = self._limits.head_bytes, self._limits.headers
        self._in_head = self._in_message = self._began_here = False
        # Bytes since anything came of what was sent: the parser passes over them without a word.
        self._fruitless_bytes = 0
        self._headers = self._head_bytes = self._unfinished_bytes = self._body_bytes = self._pieces = 0
        self._messages = 0
        self._refused: Ending | None = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._messages += 1
        self._in_head = self._in_message = self._began_here = True
        self._headers = self._head_bytes = self._unfinished_bytes = self._body_bytes = self._pieces = 0
        if len(self.pipeline) >= self._limits.pipelined:
            self._stop(endings.PIPELINE_FULL)

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self._most_bytes:
            self._stop(endings.URL_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers += 1
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self._most_bytes or self._headers > self._most_headers:
            self._stop(endings.HEAD_TOO_LARGE)
        # What follows a chunked body (trailers) must not look like what came before it.
        if self._in_head:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._pieces += 1
        if self._pieces > self._limits.pieces and self._body_bytes < self._pieces * self._limits.piece_bytes:
            self._stop(endings.BODY_TOO_FINE)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        super().on_message_complete()

    def _stop(self, ending: Ending) -> None:
        self._refused = ending
        raise RefusedRequest

    def _head_is_too_large(self, size: int) -> bool:
        """Of a head that is still not complete after so many bytes: the parser keeps half a name or value and tells nobody how much."""
        if self._began_here:
            # There may have been the end of a body before it: only what follows counts.
            self._began_here = False
            return False
        self._unfinished_bytes += size
        return self._unfinished_bytes > self._most_bytes

    def _is_fruitless(self, size: int, before: tuple[object, ...]) -> bool:
        """Whether too much was sent that is neither head nor body: empty lines before a request, the names of chunks."""
        self._fruitless_bytes = self._fruitless_bytes + size if self._progress() == before else 0
        return self._fruitless_bytes > self._most_bytes

    def _progress(self) -> tuple[object, ...]:
        """What changes with everything that the parser tells of."""
        return self._in_message, self._in_head, self._pieces, self._body_bytes, self._headers, self._messages
