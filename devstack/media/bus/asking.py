"""A client of a service: asks, takes the first claim, waits for the answer."""

import asyncio
import time
from typing import Any, Final

from devstack.media.bus import channels
from devstack.media.bus.errors import PsrpcError
from devstack.media.bus.messages import ClaimResponse, Request
from devstack.media.bus.redis_bus import Bus

TIMEOUT: Final = 3.0


class ServiceClient:
    """Asks one service; `open` before the first request."""

    def __init__(self, bus: Bus, service: str) -> None:
        self._bus, self._service, self._id = bus, service, channels.new_id("CLI_")
        self._claims: dict[str, asyncio.Future[Any]] = {}
        self._answers: dict[str, asyncio.Future[Any]] = {}

    async def open(self) -> None:
        await self._bus.listen(channels.claim(self._service, self._id), lambda message, _raw: _fill(self._claims, message))
        await self._bus.listen(channels.response(self._service, self._id), lambda message, _raw: _fill(self._answers, message))

    async def ask(self, method: str, message: Any, *, topic: str = "", timeout: float = TIMEOUT) -> bytes:
        """The answer's bytes. Raises TimeoutError when nobody answers, PsrpcError for a refusal, one of AWAY without Redis."""
        now, loop = time.time_ns(), asyncio.get_running_loop()
        request = Request(
            request_id=channels.new_id("REQ_"),
            client_id=self._id,
            sent_at=now,
            expiry=now + int(timeout * 1e9),
            raw_request=message.SerializeToString(),
        )
        claim = self._claims[request.request_id] = loop.create_future()
        answer = self._answers[request.request_id] = loop.create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._bus.publish(channels.request(self._service, method, topic), request)
                granted = ClaimResponse(request_id=request.request_id, server_id=(await claim).server_id)
                await self._bus.publish(channels.granted(self._service, method, topic), granted)
                told = await answer
        finally:
            del self._claims[request.request_id], self._answers[request.request_id]
        if told.error:
            raise PsrpcError(told.code, told.error)
        return bytes(told.raw_response)


def _fill(waiting: dict[str, asyncio.Future[Any]], message: Any) -> None:
    future = waiting.get(message.request_id)
    if future is not None and not future.done():
        future.set_result(message)
