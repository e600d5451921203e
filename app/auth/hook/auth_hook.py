"""Asks the webhook, once for each request and each websocket, as Hasura does: what it said before counts for nothing."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final, Literal

import aiohttp
import structlog

from app.auth.hook.answered import Answered, read
from app.auth.hook.exchange import Exchange
from app.auth.hook.forwarded import forwarded_headers, posted
from app.auth.refusals import access_denied, unexpected_hook
from app.telemetry.version import VERSION
from permissions.errors import GraphQLRefusal

log = structlog.get_logger(__name__)

TIMEOUT: Final = 10.0
MAX_BYTES: Final = 64 * 1024
# Bytes that are read in less than a millisecond.
_READ_AT_ONCE: Final = 32 * 1024
_AGENT: Final = {"user-agent": f"nchat-rtc/{VERSION}"}


class AuthHook:
    """One address. A redirect is not followed: it would take the caller's secrets to somebody else."""

    def __init__(
        self,
        url: str,
        http: aiohttp.ClientSession,
        *,
        mode: Literal["GET", "POST"] = "GET",
        send_request_body: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._http, self._mode, self._send_request_body = url, http, mode, send_request_body
        self._clock = clock

    async def ask(self, headers: Mapping[str, str], exchange: Exchange) -> Answered:
        """Who asks with these (lower-case) headers; raises access-denied, and unexpected where the webhook gives no answer."""
        status, body, cookies = await self._fetch(headers, exchange)
        if status == 401:
            raise access_denied("Authentication hook unauthorized this request")
        if status != 200:
            log.warning("auth_hook_failed", status=status)
            raise unexpected_hook("Invalid response from authorization hook")
        try:
            answered = read(body, self._clock())
        except GraphQLRefusal as refused:
            log.warning("auth_hook_not_read", code=refused.code)
            raise
        exchange.set_cookies.extend(cookies)
        return answered

    async def _posted(self, headers: Mapping[str, str], body: bytes | None) -> bytes:
        """A large request is read, to be sure that it means one thing, beside the event loop."""
        if not self._send_request_body or len(body or b"") <= _READ_AT_ONCE:
            return posted(headers, body, self._send_request_body)
        return await asyncio.to_thread(posted, headers, body, self._send_request_body)

    async def _fetch(self, headers: Mapping[str, str], exchange: Exchange) -> tuple[int, bytes, list[str]]:
        if self._mode == "POST":
            given = {**_AGENT, "content-type": "application/json"}
            data = await self._posted(headers, exchange.body)
        else:
            given, data = {**forwarded_headers(headers), **_AGENT}, None
        limit = aiohttp.ClientTimeout(total=TIMEOUT)
        try:
            async with self._http.request(
                self._mode, self._url, headers=given, data=data, timeout=limit, allow_redirects=False
            ) as response:
                return response.status, await _body(response.content), response.headers.getall("Set-Cookie", [])
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("auth_hook_failed", error=type(error).__name__)
            raise unexpected_hook("webhook authentication request failed") from None


async def _body(content: aiohttp.StreamReader) -> bytes:
    body = b""
    async for piece in content.iter_any():
        body += piece
        if len(body) > MAX_BYTES:
            raise aiohttp.ClientPayloadError("too large")
    return body
