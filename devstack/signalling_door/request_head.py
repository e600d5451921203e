"""The head of one HTTP/1.1 request, as far as a door has to understand it."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final, Self

# LiveKit's clients put a compressed join request and a token into the address.
LIMIT: Final = 64 * 1024
REQUEST_LINE: Final = re.compile(rb"([A-Z]+) ([!-~]+) HTTP/1\.1")
FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")


class BadRequest(Exception):
    """Not a request that can be passed on in one meaning."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """`fields` in their order, names in lowercase."""

    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    @classmethod
    async def read(cls, reader: asyncio.StreamReader) -> Self:
        """The next request's head. Raises BadRequest for one that two programs could read differently, or that ends too early."""
        try:
            line, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise BadRequest from None
        request, fields = REQUEST_LINE.fullmatch(line), [FIELD.fullmatch(one) for one in lines]
        if request is None or None in fields:
            raise BadRequest
        return cls(request[1], request[2], tuple((one[1].lower(), one[2]) for one in fields if one))

    def values(self, name: bytes) -> list[bytes]:
        return [value for given, value in self.fields if given == name]

    @property
    def path(self) -> bytes:
        return self.target.partition(b"?")[0]

    @property
    def has_body(self) -> bool:
        return bool(self.values(b"transfer-encoding")) or any(value != b"0" for value in self.values(b"content-length"))

    @property
    def upgrades(self) -> bool:
        return [value.lower() for value in self.values(b"upgrade")] == [b"websocket"]

    def forwarded(self) -> bytes:
        """As LiveKit gets it: one request on a connection of its own, which ends with the answer unless it becomes a websocket."""
        connection = b"upgrade" if self.upgrades else b"close"
        kept = [one for one in self.fields if one[0] not in (b"connection", b"keep-alive")]
        lines = [b"%s %s HTTP/1.1" % (self.method, self.target)]
        lines += [b"%s: %s" % one for one in (*kept, (b"connection", connection))]
        return b"\r\n".join(lines) + b"\r\n\r\n"
