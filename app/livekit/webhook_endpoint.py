"""`POST /api/webhooks/livekit`: signed, small, stored, answered; what it means is worked out afterwards."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.livekit.webhook_payload import BadBody, read_event
from app.livekit.webhook_signature import BadSignature, WebhookSignatures, check_digest
from app.livekit.webhook_store import Unstorable
from domain.webhooks.webhook_event import WebhookEvent
from resolvers.sql.database import DatabaseError

PATH: Final = "/api/webhooks/livekit"
# Bytes. LiveKit caps a participant's metadata at 512 KiB; our own payloads stay far below.
BODY_LIMIT: Final = 1 << 20

# Puts the event into the inbox; False when its id is there already. Raises Unstorable, or DatabaseError for now.
Store = Callable[[WebhookEvent], Awaitable[bool]]

log = structlog.get_logger(__name__)


class BodyTooLarge(Exception):
    """The delivery is larger than any that LiveKit sends for our rooms."""


class LiveKitWebhooks:
    """The endpoint. LiveKit retries 5xx answers for some 15 s and takes any 4xx for delivered, so our own faults answer 503."""

    def __init__(self, signatures: WebhookSignatures, store: Store, wake: Callable[[], None]) -> None:
        """`wake` is told of each new event, to start its processing at once."""
        self._signatures = signatures
        self._store = store
        self._wake = wake

    def route(self) -> Route:
        """The endpoint at its path."""
        return Route(PATH, self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """200 once stored (again for a repeated id), 401 unsigned, 413 too large, 400 not an event, 503 try again. Never a body."""
        try:
            event = await self._verified(request)
        except BadSignature as error:
            return refused(401, str(error))
        except BodyTooLarge:
            return refused(413, "too large")
        except BadBody as error:
            return refused(400, str(error))
        return await self._keep(event)

    async def _verified(self, request: Request) -> WebhookEvent:
        digest = self._signatures.signed_digest(request.headers.get("authorization", ""))
        body = await limited_body(request)
        check_digest(body, digest)
        return read_event(body)

    async def _keep(self, event: WebhookEvent) -> Response:
        try:
            new = await self._store(event)
        except Unstorable as error:
            return refused(400, f"can't be stored: {error}")
        except DatabaseError as error:
            log.warning("webhook_not_stored", webhook=event.event, webhook_id=event.id, sqlstate=error.sqlstate)
            return Response(status_code=503)
        if new:
            self._wake()
        return Response(status_code=200)


async def limited_body(request: Request) -> bytes:
    """The raw body: the signature covers its very bytes. Raises BodyTooLarge as soon as it is."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise BodyTooLarge
    except ClientDisconnect:
        raise BadBody("the sender went away") from None
    return bytes(body)


def refused(status: int, why: str) -> Response:
    """An answer without a reason for the sender; the reason, which never quotes the delivery, is logged."""
    log.warning("webhook_refused", status=status, reason=why)
    return Response(status_code=status)
