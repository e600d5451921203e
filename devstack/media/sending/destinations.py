"""Where one egress sends, and what becomes of each address: one that fails stops no other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from livekit import api

from devstack.media.bus import PsrpcError
from devstack.media.sending.addresses import StreamsWanted, checked, redacted_address
from devstack.media.take import Sending, Take

log = structlog.get_logger()
Status: Final = api.StreamInfo.Status


@dataclass(slots=True)
class _Destination:
    """`info` is its line of the record; `sending` is None until the take has begun."""

    url: str
    info: Any
    sending: Sending | None = None

    @property
    def running(self) -> bool:
        return bool(self.info.status == Status.ACTIVE)


class Destinations:
    """`changed` is called when one has failed."""

    def __init__(self, wanted: StreamsWanted | None, info: Any, changed: Callable[[], None]) -> None:
        self.wanted, self._info, self._changed = wanted is not None, info, changed
        self._take: Take | None = None
        self._all: list[_Destination] = []
        for url in wanted.urls if wanted else ():
            self._add(url)

    @property
    def running(self) -> int:
        """How many are sent to."""
        return sum(one.running for one in self._all)

    async def begin(self, take: Take) -> None:
        """From now on `take` sends."""
        self._take = take
        for one in self._all:
            if one.running:
                await self._send(take, one)

    async def update(self, add: Sequence[str], remove: Sequence[str]) -> None:
        """Sends to some, and to others no more. Raises PsrpcError; what was done before stays done."""
        if not self.wanted:
            raise PsrpcError("invalid_argument", "egress has no stream output")
        for url in map(checked, add):
            if self._running_one(url) is None:
                one = self._add(url)
                if self._take is not None:
                    await self._send(self._take, one)
        for url in remove:
            found = self._running_one(url)
            if found is None:
                raise PsrpcError("not_found", f"stream {url} not found")
            await self._finish(found)

    async def end(self) -> None:
        """Sends nowhere any more; returns when the last of it is out."""
        for one in self._all:
            if one.running:
                await self._finish(one)

    def _add(self, url: str) -> _Destination:
        now = time.time_ns()
        line = self._info.stream_results.add(url=redacted_address(url), started_at=now, status=Status.ACTIVE)
        self._all.append(_Destination(url, line))
        return self._all[-1]

    async def _send(self, take: Take, one: _Destination) -> None:
        one.sending = await take.send(one.url, lambda words: self._fail(one, words))

    def _fail(self, one: _Destination, words: str) -> None:
        """From the event loop."""
        if one.running:
            log.warning("destination_failed", url=one.info.url, reason=words)
            self._over(one, Status.FAILED)
            one.info.error = words
            self._changed()

    async def _finish(self, one: _Destination) -> None:
        self._over(one, Status.FINISHED)
        if one.sending is not None:
            await one.sending.end()

    def _over(self, one: _Destination, status: int) -> None:
        one.info.status, one.info.ended_at = status, time.time_ns()
        one.info.duration = one.info.ended_at - one.info.started_at

    def _running_one(self, url: str) -> _Destination | None:
        return next((one for one in self._all if one.url == url and one.running), None)
