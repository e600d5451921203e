"""A service that answers requests: those that it claims and is granted, and of a queue only what no other server took."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from devstack.media.bus import channels
from devstack.media.bus.errors import PsrpcError
from devstack.media.bus.messages import ClaimRequest, Response
from devstack.media.bus.redis_bus import AWAY, Bus

log = structlog.get_logger()
# How long the server that took a request of a queue has it for itself.
LOCK_SECONDS: Final = 5


def always(_request: Any) -> float:
    """The affinity of a server that takes everything."""
    return 1.0


@dataclass(frozen=True, slots=True)
class Method:
    """How a method is answered. `affinity` below zero leaves the request to others; from one on it wins at once.

    Without `claim` whoever gets the request from its queue answers at once.
    """

    name: str
    request: Any
    answer: Callable[[Any], Awaitable[Any]]
    queue: bool = False
    claim: bool = True
    affinity: Callable[[Any], float] = always


class Service:
    """The methods of one service on this bus."""

    def __init__(self, bus: Bus, name: str) -> None:
        self._bus, self._name, self._id = bus, name, channels.new_id("SRV_")
        self._claims: dict[str, asyncio.Future[str]] = {}

    async def offer(self, method: Method, topic: str = "") -> None:
        """Answers from now on; with a topic only the requests that name it."""
        await self._bus.listen(channels.granted(self._name, method.name, topic), self._granted)
        await self._bus.listen(
            channels.request(self._name, method.name, topic), lambda request, raw: self._bus.spawn(self._take(method, request, raw))
        )

    async def withdraw(self, method: str, topic: str = "") -> None:
        """Answers no more."""
        await self._bus.unlisten(channels.request(self._name, method, topic))
        await self._bus.unlisten(channels.granted(self._name, method, topic))

    async def _take(self, method: Method, request: Any, raw: bytes) -> None:
        try:
            if await self._is_ours(method, request, raw):
                await self._bus.publish(channels.response(self._name, request.client_id), await self._answer(method, request))
        except AWAY as error:
            # Nobody can be told. Who asked gives up in time and asks again.
            log.warning("bus_request_lost", method=method.name, reason=type(error).__name__)

    async def _is_ours(self, method: Method, request: Any, raw: bytes) -> bool:
        if time.time_ns() >= request.expiry:
            return False
        if method.queue and not await self._locked(raw):
            return False
        affinity = method.affinity(method.request.FromString(request.raw_request))
        return affinity >= 0 and (not method.claim or await self._claimed(request, affinity))

    async def _locked(self, raw: bytes) -> bool:
        name = base64.b64encode(hashlib.sha256(raw).digest())
        return bool(await self._bus.redis.set(name, 1, nx=True, ex=LOCK_SECONDS))

    async def _claimed(self, request: Any, affinity: float) -> bool:
        granted = self._claims[request.request_id] = asyncio.get_running_loop().create_future()
        claim = ClaimRequest(request_id=request.request_id, server_id=self._id, affinity=affinity)
        try:
            async with asyncio.timeout((request.expiry - time.time_ns()) / 1e9):
                await self._bus.publish(channels.claim(self._name, request.client_id), claim)
                return bool(await granted == self._id)
        except TimeoutError:
            return False
        finally:
            del self._claims[request.request_id]

    def _granted(self, message: Any, _raw: bytes) -> None:
        claim = self._claims.get(message.request_id)
        if claim is not None and not claim.done():
            claim.set_result(message.server_id)

    async def _answer(self, method: Method, request: Any) -> Any:
        answer = Response(request_id=request.request_id, server_id=self._id)
        try:
            answer.raw_response = (await method.answer(method.request.FromString(request.raw_request))).SerializeToString()
        except PsrpcError as error:
            answer.error, answer.code = error.message, error.code
        answer.sent_at = time.time_ns()
        return answer
