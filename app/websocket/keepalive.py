"""What keeps a connection alive: proxies between us close one that is silent."""

import asyncio
from contextlib import suppress

from app.graphql import expiry
from app.websocket.short_way import framed
from app.websocket.socket import Socket


async def keep_alive(socket: Socket, message: bytes, every: float, expires_at: float | None) -> None:
    """Sends the subprotocol's own message every so many seconds, which needs no answer; returns at that unix time.

    A client that has vanished is found by the server's own ping, a control frame (`app/server.py`).
    """
    loop = asyncio.get_running_loop()
    write, frame = socket.write_now, framed(message)
    due = loop.time() + every
    while not expiry.is_over(expires_at):
        await asyncio.sleep(min(due - loop.time(), expiry.next_look(expires_at)))
        if loop.time() >= due:
            if write is None or not write(frame):
                # A client that takes nothing doesn't stop the time.
                with suppress(TimeoutError):
                    async with asyncio.timeout(expiry.next_look(expires_at)):
                        await socket.send(message)
            due = loop.time() + every
