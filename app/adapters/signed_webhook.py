"""Webhooks of ours, signed as Standard Webhooks has it: receivers verify them with a library that is there, or ten lines of their own."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from domain.ports import Clock

PREFIX: Final = "whsec_"


class SignedWebhook:
    """One address. Its signature covers the message's id, the moment of the try, and the body."""

    def __init__(self, url: str, key: bytes, http: aiohttp.ClientSession, clock: Clock) -> None:
        self._url, self._key, self._http, self._clock = url, key, http, clock

    async def post(self, message_id: str, body: bytes, *, within: float) -> int:
        """The status of the answer, whose body nobody reads; a redirect is not followed. Raises TimeoutError and aiohttp.ClientError."""
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self._key, message_id, timestamp, body),
        }
        limit = aiohttp.ClientTimeout(total=within)
        async with self._http.post(self._url, data=body, headers=headers, timeout=limit, allow_redirects=False) as response:
            return response.status


@asynccontextmanager
async def open_http(at_once: int) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with so many connections that keeps no cookie."""
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield http


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The header's value: the version of the scheme, and an HMAC-SHA256 in base64."""
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def signing_key(secret: str) -> bytes:
    """The bytes that a secret of the settings stands for."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
