"""Answers as gzip, to clients that take it.

What a role may see is compressed always, and once: it is half a megabyte, the same for everybody of the role, and asked for again by
every console and code generator. Other answers are where a setting says so; compose's proxy does it for those behind it. Never to who
is known by a cookie: a page of somebody else's can make a browser ask with it, and the size of what is compressed tells of secrets that
stand beside what the page chose (BREACH, https://www.breachattack.com).
"""

import gzip
from asyncio import get_running_loop
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Final

from resolvers.documents.lru import LRU

# Bytes: below it there is nothing to gain, and below the other it takes less than a millisecond.
SMALL: Final = 1024
QUICK: Final = 16 * 1024
# Beyond it gzip takes twice the time for a few hundredths of the size.
LEVEL: Final = 5
_SCHEMA: Final = b'{"data":{"__schema":'
_KEPT: Final = 32
_KEPT_BYTES: Final = 4 << 20
HEADERS: Final = ((b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))


class Compression:
    """`everything`: all answers, and not introspection alone."""

    def __init__(self, *, everything: bool) -> None:
        self._everything = everything
        self._kept: LRU[bytes, bytes] = LRU(_KEPT, _KEPT_BYTES)
        # One after the other, beside the loop: zlib leaves it alone meanwhile.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="compress")

    async def of(self, body: bytes, headers: Mapping[str, str]) -> bytes | None:
        """The answer to a request with these headers, compressed; None where it is sent as it is."""
        if len(body) < SMALL or "cookie" in headers or not takes_gzip(headers.get("accept-encoding", "")):
            return None
        if body.startswith(_SCHEMA):
            return await self._schema(body)
        return await self._compressed(body) if self._everything else None

    async def _schema(self, body: bytes) -> bytes:
        key = blake2b(body, digest_size=16).digest()
        kept = self._kept.get(key)
        if kept is None:
            kept = await self._compressed(body)
            self._kept.put(key, kept, len(kept))
        return kept

    async def _compressed(self, body: bytes) -> bytes:
        if len(body) <= QUICK:
            return gzip.compress(body, LEVEL, mtime=0)
        return await get_running_loop().run_in_executor(self._thread, lambda: gzip.compress(body, LEVEL, mtime=0))


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip, and not to refuse it (RFC 9110, 12.5.3)."""
    for coding in accepted.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() in ("gzip", "x-gzip"):
            return weight.replace(" ", "").removeprefix("q=").strip("0.") != "" or not weight.strip()
    return False
