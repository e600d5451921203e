"""The public keys behind a `jwk_url`: one fetch for many askers, rotation, and old keys while the issuer is down."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from email.utils import parsedate_to_datetime

import aiohttp
import structlog

from app.auth.keys.published_keys import PublishedKey, read_keys
from app.auth.refusals import invalid_jwt

log = structlog.get_logger(__name__)

FETCH_TIMEOUT = 5.0
# An unknown key id asks the issuer again at most this often, or anybody could make us flood it.
COOLDOWN = 5.0
RETRY_AFTER_FAILURE = 60.0
MAX_BYTES = 1 << 20


class JwkSet:
    """The keys of one address. `cooldown` in seconds; `clock` is monotonic."""

    def __init__(
        self, url: str, http: aiohttp.ClientSession, *, cooldown: float = COOLDOWN, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url, self._http, self._cooldown, self._clock = url, http, cooldown, clock
        self._keys: tuple[PublishedKey, ...] = ()
        self._refresh_at: float | None = 0.0
        self._tried_at = float("-inf")
        self._fetch: asyncio.Task[None] | None = None

    async def keys(self, key_id: str | None, algorithm: str) -> list[PublishedKey]:
        """Those that may have signed a token with this header, one at least; raises invalid-jwt when the issuer has none."""
        if self._refresh_at is not None and self._clock() >= self._refresh_at and self._keys:
            self._start_fetch()  # the known keys serve meanwhile
        if not self._fitting(key_id, algorithm):
            await self._fetch_now()
        found = self._fitting(key_id, algorithm)
        if not found:
            raise invalid_jwt("JWSError JWSNoValidSignatures" if self._keys else "JWK set not available")
        return found

    async def newer_keys(self, key_id: str | None, algorithm: str) -> list[PublishedKey]:
        """Those that were not known before: without ids nothing else tells that the issuer has changed its keys."""
        before = self._keys
        await self._fetch_now()
        return [] if self._keys is before else self._fitting(key_id, algorithm)

    def _fitting(self, key_id: str | None, algorithm: str) -> list[PublishedKey]:
        fitting = [key for key in self._keys if key.fits(key_id, algorithm)]
        named = [key for key in fitting if key_id is not None and key.key_id == key_id]
        return named or fitting

    async def _fetch_now(self) -> None:
        if (task := self._start_fetch()) is not None:
            # A caller that goes away must not take the fetch of all others with it.
            await asyncio.shield(task)

    def _start_fetch(self) -> asyncio.Task[None] | None:
        if self._fetch is not None and not self._fetch.done():
            return self._fetch
        if self._clock() - self._tried_at < self._cooldown:
            return None
        self._tried_at = self._clock()
        # For everybody: its log lines belong to none of those who wait.
        self._fetch = asyncio.create_task(self._load(), context=Context())
        return self._fetch

    async def _load(self) -> None:
        try:
            async with self._http.get(self._url, timeout=aiohttp.ClientTimeout(total=FETCH_TIMEOUT)) as response:
                response.raise_for_status()
                body = await _read(response.content)
                lifetime = _lifetime(response.headers)
            self._keys = read_keys(body)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("jwk_set_not_fetched", error=type(error).__name__, keys_kept=len(self._keys))
            self._refresh_at = self._clock() + RETRY_AFTER_FAILURE
            return
        self._refresh_at = None if lifetime is None else self._clock() + lifetime

    async def close(self) -> None:
        if self._fetch is not None and not self._fetch.done():
            self._fetch.cancel()
            await asyncio.wait([self._fetch])


async def _read(content: aiohttp.StreamReader) -> bytes:
    """All of it, in however many pieces it comes; raises ValueError when that is too much."""
    body = b""
    async for piece in content.iter_any():
        body += piece
        if len(body) > MAX_BYTES:
            raise ValueError("too large")
    return body


def _lifetime(headers: Mapping[str, str]) -> float | None:
    """Seconds until the next fetch by Cache-Control or Expires; None (Hasura): fetched once, and again for an unknown key id."""
    control = headers.get("Cache-Control", "")
    if match := re.search(r"(?:s-maxage|max-age)\s*=\s*(\d+)", control):
        return max(float(match[1]), 1.0)
    if re.search(r"no-cache|no-store|must-revalidate", control):
        return 1.0
    if "Expires" in headers:
        try:
            return max(parsedate_to_datetime(headers["Expires"]).timestamp() - time.time(), 1.0)
        except (ValueError, OverflowError):
            return None
    return None
