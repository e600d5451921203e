"""One egress from the request to its last status; livekit-server keeps the record and tells the world.

STARTING until the first wanted track, ACTIVE while it is written, ENDING while the rest is uploaded; then one of COMPLETE, FAILED, ABORTED
(nothing was written) or LIMIT_REACHED (what was written is usable, and no ENDING comes before it).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from livekit import api, rtc

from devstack.media.knobs import Knobs, sleep_unless
from devstack.media.outputs import Outputs
from devstack.media.plan import Plan
from devstack.media.seat import Seat, Site
from devstack.media.sending.destinations import Destinations
from devstack.media.storage import UploadFailed
from devstack.media.take import EgressFailed, TakeMaker

log = structlog.get_logger()
STOPPED: Final = "StopEgress API"
CLOSED: Final = "Source closed"
LIMIT: Final = "Session limit reached"
STREAMS_STOPPED: Final = "All streams stopped"
FAILURE: Final = "Failure"
# Why nothing was written, by what ended it.
_NOTHING: Final = {
    STOPPED: "Stop called before pipeline could start",
    CLOSED: "Start signal not received",
    LIMIT: "Session limit reached before start signal",
}
Status = api.EgressStatus
Report = Callable[[Any], Awaitable[None]]


class Reports:
    """One state of a record after the other: livekit-server keeps whichever comes last, and would take two at once in any order."""

    def __init__(self, info: Any, report: Report) -> None:
        self._info, self._report = info, report
        self._turn = asyncio.Lock()

    async def tell(self) -> None:
        """The record as it is when its turn comes; returns when it was taken."""
        async with self._turn:
            await self._report(self._info)


class Egress:
    """`info` is its record as it stands; `report` hands a copy to livekit-server."""

    def __init__(self, *, info: Any, plan: Plan, outputs: Outputs, site: Site, knobs: Knobs, report: Report, take: TakeMaker) -> None:
        self.info, self._plan, self._outputs, self._site, self._knobs = info, plan, outputs, site, knobs
        self._reports = Reports(info, report)
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._error: Exception | None = None
        self._seat = Seat(plan, lambda: self._end(CLOSED))
        self._take = take(plan, self._seat, outputs, self._failed)
        self._destinations = Destinations(plan.streams, info, self._stream_failed)
        self._reporting: asyncio.Future[None] | None = None

    def stop(self) -> Any:
        """Asks it to end; the record as it stands from now on."""
        self._end(STOPPED)
        after = {Status.EGRESS_STARTING: Status.EGRESS_ABORTED, Status.EGRESS_ACTIVE: Status.EGRESS_ENDING}
        self.info.status = after.get(self.info.status, self.info.status)
        return self.info

    async def update_streams(self, add: Sequence[str], remove: Sequence[str]) -> Any:
        """Sends to some addresses, and to others no more; the record then. Raises PsrpcError."""
        try:
            await self._destinations.update(add, remove)
        finally:
            self._report_soon()
        if remove and not self._destinations.running and not self._plan.recorded:
            self._end(STREAMS_STOPPED)
        return self.info

    async def run(self) -> None:
        """Returns when livekit-server has taken its last status."""
        timer = self._loop.call_later(self._knobs.session_limit, self._end, LIMIT) if self._knobs.session_limit else None
        try:
            await self._live()
        except EgressFailed as error:
            self._finish(Status.EGRESS_FAILED, FAILURE, str(error), error.code)
        except UploadFailed as error:
            self._finish(Status.EGRESS_FAILED, FAILURE, str(error), 400)
        except (rtc.ConnectError, TimeoutError) as error:
            self._finish(Status.EGRESS_FAILED, FAILURE, f"the room can't be joined: {error}", 500)
        finally:
            if timer is not None:
                timer.cancel()
        await self._reports.tell()

    async def _live(self) -> None:
        await sleep_unless(self._ended, self._knobs.start_delay)
        if self._ended.done():
            return self._abort()
        async with self._seat.taken(self._site, self.info.egress_id):
            if not await self._has_media():
                return self._abort()
            await self._write()
        return None

    async def _has_media(self) -> bool:
        """Waits for the first track. Raises EgressFailed when the person or track that was named does not come in time."""
        media = asyncio.ensure_future(self._seat.media.wait())
        either: list[asyncio.Future[Any]] = [media, self._ended]
        try:
            patience = self._knobs.lookup_timeout if self._plan.identity or self._plan.tracks else None
            await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not any(one.done() for one in either):
                if missing := self._seat.missing():
                    raise EgressFailed(404, missing)
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            media.cancel()
        return not self._ended.done()

    async def _write(self) -> None:
        await self._take.begin()
        await self._destinations.begin(self._take)
        self.info.started_at = time.time_ns()
        self._outputs.began(self.info.started_at)
        await self._tell(Status.EGRESS_ACTIVE)
        reason = await self._ended
        if reason != LIMIT:
            await self._tell(Status.EGRESS_ENDING)
        self.info.ended_at = time.time_ns()
        self._outputs.ended(self.info.ended_at)
        await self._destinations.end()
        await self._take.end()
        if self._error is not None:
            raise self._error
        await asyncio.to_thread(self._outputs.put_manifests)
        if reason == LIMIT:
            self._finish(Status.EGRESS_LIMIT_REACHED, LIMIT, LIMIT, 413)
        else:
            self._finish(Status.EGRESS_COMPLETE, reason)

    def _abort(self) -> None:
        reason = self._ended.result()
        self._finish(Status.EGRESS_ABORTED, reason, _NOTHING.get(reason, reason), 412)

    def _finish(self, status: int, reason: str, error: str = "", code: int = 0) -> None:
        self.info.status, self.info.details = status, f"End reason: {reason}"
        self.info.error, self.info.error_code = error, code
        self.info.ended_at = self.info.ended_at or time.time_ns()
        self.info.updated_at = time.time_ns()
        log.info("egress_ended", egress=self.info.egress_id, status=api.EgressStatus.Name(status), reason=reason, error=error)

    async def _tell(self, status: int) -> None:
        self.info.status, self.info.updated_at = status, time.time_ns()
        await self._reports.tell()

    def _stream_failed(self) -> None:
        """One of them; the others go on, and what is recorded."""
        if self._destinations.running or self._plan.recorded:
            self._report_soon()
        else:
            self._fail(EgressFailed(503, "all streams failed"))

    def _report_soon(self) -> None:
        """The record changed though the status did not."""
        if self.info.status == Status.EGRESS_ACTIVE:
            self.info.updated_at = time.time_ns()
            self._reporting = asyncio.ensure_future(self._reports.tell())

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)

    def _failed(self, error: Exception) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._fail, error)

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._end(FAILURE)
