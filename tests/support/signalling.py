"""LiveKit's signalling spoken by hand: a client that keeps what an SDK hides, the refresh token, and asks at each path in each way."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal
from urllib.parse import urlencode

from livekit.protocol.models import ClientInfo
from livekit.protocol.rtc import ConnectionSettings, JoinRequest, SignalResponse, WrappedJoinRequest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

SIGNALLING: Final = ("/rtc", "/rtc/v1")
Where = Literal["query", "header"]


def address(url: str, path: str, token: str | None) -> str:
    """As an SDK writes it; a token of None travels in a header."""
    client = ClientInfo(sdk=ClientInfo.PYTHON, protocol=16)
    join = JoinRequest(client_info=client, connection_settings=ConnectionSettings(auto_subscribe=True))
    wrapped = urlsafe_b64encode(WrappedJoinRequest(join_request=join.SerializeToString()).SerializeToString()).decode()
    asked = {"join_request": wrapped} if "v1" in path else {"sdk": "python", "protocol": "16", "auto_subscribe": "1"}
    return f"{url}{path}?{urlencode(asked | ({} if token is None else {'access_token': token}))}"


@asynccontextmanager
async def joining(url: str, token: str, path: str = "/rtc", where: Where = "query") -> AsyncIterator[ClientConnection]:
    """A signalling connection; raises websockets' InvalidStatus when it is refused."""
    headers = {"Authorization": f"Bearer {token}"} if where == "header" else {}
    async with connect(address(url, path, token if where == "query" else None), additional_headers=headers, open_timeout=20) as socket:
        yield socket


async def refusal(url: str, token: str, path: str = "/rtc", where: Where = "query") -> int | None:
    """The status of a refused join; None when it was let in."""
    try:
        async with joining(url, token, path, where):
            return None
    except InvalidStatus as refused:
        return refused.response.status_code


async def refresh_token(url: str, token: str) -> str:
    """Joins for a moment; the token that LiveKit itself then signs for the same person and room."""
    async with joining(url, token) as socket:
        while True:
            message = SignalResponse.FromString(bytes(await socket.recv()))  # type: ignore[arg-type]
            if message.refresh_token:
                return str(message.refresh_token)
