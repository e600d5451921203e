"""The deployment's push service behind a webhook."""

import time
from collections.abc import Callable
from typing import Final

import aiohttp
import orjson
import structlog

from app.adapters.signed_webhook import SignedWebhook
from domain.ports import NotTaken, Push

log = structlog.get_logger(__name__)

# Hears of each try: the push's transport, the seconds it took, and its outcome.
ObservePush = Callable[[str, float, str], None]
TAKEN: Final = "taken"


def uncounted(_transport: str, _seconds: float, _outcome: str) -> None:
    """The default: nobody counts."""


class PushWebhook:
    """`domain.ports.PushService`. An outage is one line in the log, and so is its end."""

    def __init__(self, webhook: SignedWebhook, count: ObservePush = uncounted) -> None:
        self._webhook, self._count = webhook, count
        self._fails = False

    async def deliver(self, push: Push, *, within: float) -> None:
        """Raises NotTaken for every answer but 2xx, and for none."""
        began = time.monotonic()
        outcome, error = await self._post(push, within)
        self._count(push.transport, time.monotonic() - began, outcome)
        self._tell(error)
        if error is not None:
            raise NotTaken(error)

    async def _post(self, push: Push, within: float) -> tuple[str, str | None]:
        """The outcome in a word and, of a failure, what it was: a class or a number, since an error's own text may hold the address."""
        try:
            status = await self._webhook.post(str(push.id), body(push), within=within)
        except TimeoutError:
            return "timeout", "timeout"
        except aiohttp.ClientError as error:
            return "unreachable", type(error).__name__
        return (TAKEN, None) if 200 <= status < 300 else ("refused", f"status {status}")

    def _tell(self, error: str | None) -> None:
        if error is not None and not self._fails:
            log.warning("push_service_fails", error=error)
        elif error is None and self._fails:
            log.info("push_service_goes_on")
        self._fails = error is not None


def body(push: Push) -> bytes:
    """What the push service gets: the same bytes at every try."""
    return orjson.dumps(
        {
            "id": str(push.id),
            "userId": str(push.user_id),
            "kind": push.kind,
            "transport": push.transport,
            "collapseId": str(push.collapse_id),
            "createdAt": push.created_at,
            "expiresAt": push.expires_at,
            "payload": push.payload,
        },
        option=orjson.OPT_UTC_Z,
    )
