"""What keeps a connection alive: proxies between us close one that is silent."""

import asyncio

from app.websocket.socket import Socket


async def keep_alive(socket: Socket, message: bytes, every: float) -> None:
    """Sends the subprotocol's own message every so many seconds, until it is cancelled; it needs no answer.

    A client that has vanished is found by the server's own ping, a control frame (`app/server.py`).
    """
    while True:
        await asyncio.sleep(every)
        await socket.send(message)
