"""The worker: asks livekit-server about each key, and puts whoever has a good one on the air.

It errs as LiveKit's own does: a killed worker's ingresses stay PUBLISHING in their records, for ever or until the encoder comes again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import structlog
from livekit import api

from devstack.ingest.knobs import Knobs
from devstack.ingest.on_air import OnAir
from devstack.ingest.rtmp import PublishRefused, Tag
from devstack.media.bus import Bus, Method, PsrpcError, Service, ServiceClient
from devstack.media.bus.messages import GetIngressInfoRequest, GetIngressInfoResponse, UpdateIngressStateRequest
from devstack.media.bus.redis_bus import AWAY
from devstack.media.seat import Site

log = structlog.get_logger()
# The first part of an address, before the key.
APP: Final = "live"
REPORT_PAUSE: Final = 0.5
CUTS: Final = {"UpdateIngress": api.UpdateIngressRequest, "DeleteIngress": api.DeleteIngressRequest}


class Session(Protocol):
    """Somebody on the air: the ingress, and its state as livekit-server has it."""

    info: Any
    state: Any

    async def end(self) -> None:
        """Returns when the participant is gone and livekit-server knows it."""
        ...


class Worker:
    """`running` holds who is on the air, by the ingress's id."""

    def __init__(self, bus: Bus, site: Site, knobs: Knobs) -> None:
        self._site, self._knobs = site, knobs
        self._records = ServiceClient(bus, "IOInfo")
        self._control = Service(bus, "IngressHandler")
        self.running: dict[str, Session] = {}

    async def open(self) -> None:
        """Keys can be asked about from now on."""
        await self._records.open()

    async def authorize(self, app: str, key: str, cut: Callable[[], None]) -> "Seated":
        """An RTMP encoder's way on air. Raises PublishRefused."""
        if app != APP:
            raise PublishRefused("no such application")
        info = await self.ingress_of(key, api.IngressInput.RTMP_INPUT)
        one = OnAir(info, self._site, self._knobs, self.report, cut)
        await self.put_on_air(one)
        try:
            await one.begin()
        except BaseException:
            await self.forget(info.ingress_id)
            raise
        return Seated(one, self.forget)

    async def put_on_air(self, one: "Session") -> None:
        """From now on a change or removal of the ingress cuts it off; livekit-server waits for that."""
        self.running[one.info.ingress_id] = one

        async def end(_request: Any) -> Any:
            await one.end()
            return one.state

        for name, request in CUTS.items():
            await self._control.offer(Method(name, request, end, queue=True), one.info.ingress_id)

    async def forget(self, ingress_id: str) -> None:
        """It is off the air."""
        if self.running.pop(ingress_id, None) is not None:
            for name in CUTS:
                await self._control.withdraw(name, ingress_id)

    async def ingress_of(self, key: str, kind: int) -> Any:
        """The ingress whose key this is, ready to be published to. Raises PublishRefused."""
        if not self._knobs.accepts:
            raise PublishRefused("server capacity exceeded")
        try:
            answer = await self._records.ask("GetIngressInfo", GetIngressInfoRequest(stream_key=key))
        except PsrpcError as error:
            raise PublishRefused("ingress does not exist" if error.code == "not_found" else error.code) from error
        except (*AWAY, TimeoutError) as error:
            raise PublishRefused("LiveKit does not answer") from error
        info = GetIngressInfoResponse.FromString(answer).info
        if info.input_type != kind:
            raise PublishRefused("this key is for another protocol")
        if info.HasField("enabled") and not info.enabled:
            raise PublishRefused("session is disabled")
        if not (info.room_name and info.participant_identity):
            raise PublishRefused("ingress has no room or identity")
        if info.ingress_id in self.running:
            raise PublishRefused("already publishing")
        return info

    async def report(self, ingress_id: str, state: Any) -> None:
        """Returns when livekit-server has it, or has no such ingress any more: Redis, or the server, may be away for a while."""
        while True:
            try:
                await self._records.ask("UpdateIngressState", UpdateIngressStateRequest(ingress_id=ingress_id, state=state))
                return
            except PsrpcError as error:
                if error.code == "not_found":
                    return
                reason = error.code
            except (*AWAY, TimeoutError) as error:
                reason = type(error).__name__
            log.warning("ingress_report_waits", ingress=ingress_id, reason=reason)
            await asyncio.sleep(REPORT_PAUSE)


class Seated:
    """`Publication` of an encoder on the air: at its end the worker forgets it."""

    def __init__(self, one: OnAir, forget: Callable[[str], Awaitable[None]]) -> None:
        self._one, self._forget = one, forget

    async def take(self, tag: Tag) -> None:
        await self._one.take(tag)

    async def end(self) -> None:
        await self._one.end()
        await self._forget(self._one.info.ingress_id)
