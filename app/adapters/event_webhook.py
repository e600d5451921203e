"""The deployment's own backend behind a webhook: it is told of finished recordings."""

import time
from collections.abc import Callable

import aiohttp
import orjson
import structlog

from app.adapters.signed_webhook import SignedWebhook
from domain.ports import NotTaken, OutsideEvent

log = structlog.get_logger(__name__)
# Hears of each try: the event's kind, the seconds it took, and its outcome.
ObserveEvent = Callable[[str, float, str], None]


def uncounted(_kind: str, _seconds: float, _outcome: str) -> None:
    """The default: nobody counts."""


class EventWebhook:
    """`domain.ports.EventReceiver`. An outage is one line in the log, and so is its end."""

    def __init__(self, webhook: SignedWebhook, count: ObserveEvent = uncounted) -> None:
        self._webhook, self._count = webhook, count
        self._fails = False

    async def deliver(self, event: OutsideEvent, *, within: float) -> None:
        """Raises NotTaken for every answer but 2xx, and for none."""
        began = time.monotonic()
        outcome, error = await self._post(event, within)
        self._count(event.kind, time.monotonic() - began, outcome)
        self._tell(error)
        if error is not None:
            raise NotTaken(error)

    async def _post(self, event: OutsideEvent, within: float) -> tuple[str, str | None]:
        """The outcome in a word and, of a failure, a class or a number: an error's own text may hold the address."""
        try:
            status = await self._webhook.post(str(event.id), event_body(event), within=within)
        except TimeoutError:
            return "timeout", "timeout"
        except aiohttp.ClientError as error:
            return "unreachable", type(error).__name__
        return ("taken", None) if 200 <= status < 300 else ("refused", f"status {status}")

    def _tell(self, error: str | None) -> None:
        if error is not None and not self._fails:
            log.warning("event_receiver_fails", error=error)
        elif error is None and self._fails:
            log.info("event_receiver_goes_on")
        self._fails = error is not None


def event_body(event: OutsideEvent) -> bytes:
    """What the receiver gets: the same bytes at every try."""
    told = {"id": str(event.id), "kind": event.kind, "createdAt": event.created_at, "payload": event.payload}
    return orjson.dumps(told, option=orjson.OPT_UTC_Z)
