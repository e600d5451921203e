"""The head of an answer goes out together with its body: one call of the kernel, one packet, one wake of the client."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class HeadWithBody(asyncio.Transport):
    """What one request writes to. uvicorn writes the head when the answer starts and its body afterwards; small answers cost as much again.

    A head whose body is of a known length waits for it. Others go at once: of a stream nobody knows when it goes on.
    """

    def __init__(self, transport: asyncio.Transport, cycle: RequestResponseCycle) -> None:
        super().__init__()
        self._transport, self._cycle = transport, cycle
        self._head: Any = None
        self._has_begun = False

    def write(self, data: Any) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.writelines((head, data))
        elif self._is_head_of_a_body():
            self._head, self._has_begun = data, True
        else:
            self._transport.write(data)

    def _is_head_of_a_body(self) -> bool:
        cycle = self._cycle
        # What comes before the start is the word to send on (100).
        return not self._has_begun and cycle.response_started and cycle.expected_content_length > 0 and cycle.scope["method"] != "HEAD"

    def close(self) -> None:
        """What has begun is told before."""
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()
