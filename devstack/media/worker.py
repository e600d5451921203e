"""The worker: takes egress work from livekit-server over the bus, and tells it what becomes of each.

It stands in for LiveKit's own egress, and errs as that does: a killed worker's records stay as they were, for ever; the next one starts
with nothing and repairs nothing. It does no web egress and no raw tracks, and refuses them in words. An address that it sends on to it
gives up at the first failure, where LiveKit's own connects anew for some 30 s.
"""

import asyncio
import time
from typing import Any, Final

import structlog
from livekit import api

from devstack.media.bus import Bus, Method, PsrpcError, Service, ServiceClient
from devstack.media.bus.messages import StartEgressRequest
from devstack.media.bus.redis_bus import AWAY
from devstack.media.egress import Egress
from devstack.media.knobs import Knobs
from devstack.media.outputs import Outputs
from devstack.media.plan import plan_of
from devstack.media.redaction import redacted
from devstack.media.seat import Site
from devstack.media.storage import Storages
from devstack.media.take import TakeMaker

log = structlog.get_logger()
SLOTS: Final = 6
REPORT_PAUSE: Final = 0.5


class Worker:
    """Records up to `slots` at once; `running` holds what it records, by id."""

    def __init__(self, bus: Bus, site: Site, storages: Storages, knobs: Knobs, take: TakeMaker, *, slots: int = SLOTS) -> None:
        self._bus, self._site, self._storages, self._knobs, self._take, self._slots = bus, site, storages, knobs, take, slots
        self._records = ServiceClient(bus, "IOInfo")
        self._control = Service(bus, "EgressHandler")
        self.running: dict[str, Egress] = {}

    async def open(self) -> None:
        """Takes work from now on."""
        await self._records.open()
        await Service(self._bus, "EgressInternal").offer(Method("StartEgress", StartEgressRequest, self._start, affinity=self._affinity))

    def _affinity(self, _request: Any) -> float:
        return 1.0 if self._knobs.accepts and len(self.running) < self._slots else -1.0

    async def _start(self, request: Any) -> Any:
        plan, now = plan_of(request), time.time_ns()
        info = api.EgressInfo(
            egress_id=request.egress_id,
            room_id=request.room_id,
            room_name=plan.room_name,
            status=api.EgressStatus.EGRESS_STARTING,
            started_at=now,
            updated_at=now,
        )
        getattr(info, plan.kind).CopyFrom(redacted(getattr(request, plan.kind)))
        outputs = Outputs(plan, self._storages, info)
        egress = Egress(info=info, plan=plan, outputs=outputs, site=self._site, knobs=self._knobs, report=self._report, take=self._take)
        answer = api.EgressInfo()
        answer.CopyFrom(info)
        self.running[info.egress_id] = egress
        await self._offer_control(info.egress_id, egress)
        self._bus.spawn(self._run(info.egress_id, egress))
        log.info("egress_started", egress=info.egress_id, room=plan.room_name, kind=plan.kind)
        return answer

    async def _offer_control(self, egress_id: str, egress: Egress) -> None:
        async def stop(_request: Any) -> Any:
            return egress.stop()

        async def update_stream(request: Any) -> Any:
            return await egress.update_streams(request.add_output_urls, request.remove_output_urls)

        await self._control.offer(Method("StopEgress", api.StopEgressRequest, stop, queue=True), egress_id)
        await self._control.offer(Method("UpdateStream", api.UpdateStreamRequest, update_stream, queue=True), egress_id)

    async def _run(self, egress_id: str, egress: Egress) -> None:
        try:
            await egress.run()
        finally:
            del self.running[egress_id]
            await self._control.withdraw("StopEgress", egress_id)
            await self._control.withdraw("UpdateStream", egress_id)

    async def _report(self, info: Any) -> None:
        """Returns when livekit-server has the record: Redis, or the server, may be away for a while."""
        told = api.EgressInfo()
        told.CopyFrom(info)
        while True:
            try:
                await self._records.ask("UpdateEgress", told)
                return
            except (*AWAY, TimeoutError, PsrpcError) as error:
                log.warning("egress_report_waits", egress=info.egress_id, reason=type(error).__name__)
                await asyncio.sleep(REPORT_PAUSE)
