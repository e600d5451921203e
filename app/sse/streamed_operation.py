"""One operation whose payloads are events of a stream."""

import asyncio
import time
from contextlib import aclosing

from app.sse.events import COMPLETE, next_event
from app.sse.services import StreamServices
from app.sse.stream import EventStream
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.document import OperationKind
from resolvers.documents.request import Request


class StreamedOperation:
    """Pulls the next payload only when the client has taken the one before: there is no queue to grow."""

    def __init__(self, request: Request, session: Session, context: object, services: StreamServices, stream: EventStream) -> None:
        self._request, self._session, self._context = request, session, context
        self._services, self._stream = services, stream
        self._kind: OperationKind | None = None

    async def run(self, *, reads_only: bool) -> None:
        """Until `complete`; what is refused is a payload before it, `{"errors": …}`. With `reads_only` a mutation is refused."""
        try:
            await self._run(reads_only)
        except GraphQLRefusal as refused:
            self._services.outcomes.refused(refused, self._kind, self._request.operation_name if self._kind else None)
            await self._stream.send(next_event(refused.body()))
        await self._stream.send(COMPLETE)

    async def _run(self, reads_only: bool) -> None:
        await self._services.engine.admit(self._request, self._session)
        self._kind = await self._services.engine.kind(self._request, self._session)
        if self._kind == "subscription":
            await self._follow()
        elif self._kind == "mutation" and reads_only:
            raise GraphQLRefusal("method-not-allowed", "a mutation is a POST request")
        else:
            await self._answer()

    async def _follow(self) -> None:
        try:
            async with aclosing(self._services.subscriptions.subscribe(self._request, self._session, self._context)) as offers:
                async for offer in offers:
                    await self._stream.send(next_event(await offer.take(), offer.event_id))
                    await self._stream.taken()
        except asyncio.CancelledError:
            self._services.outcomes.ended()
            raise
        self._services.outcomes.ended()

    async def _answer(self) -> None:
        began = time.perf_counter()
        answer = await self._services.engine.execute(self._request, self._session, self._context)
        self._services.outcomes.took(time.perf_counter() - began, len(answer.body))
        self._services.outcomes.note(answer)
        await self._stream.send(next_event(answer.body))
