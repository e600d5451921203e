"""The ping of a connection: proxies between us close one that is silent."""

import asyncio

from app.websocket import messages
from app.websocket.socket import Socket


async def ping(socket: Socket, every: float) -> None:
    """Sends the protocol's `ping` every so many seconds, until it is cancelled; a `pong` needs no answer.

    A client that has vanished is found by the server's own ping, a control frame (`app/server.py`).
    """
    while True:
        await asyncio.sleep(every)
        await socket.send(messages.PING)
