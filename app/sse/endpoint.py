"""`/v1/graphql` for whoever asks for `text/event-stream`: origin, place, request, caller, then a stream."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import structlog
from starlette.types import Receive, Scope, Send

from app.auth.hook import Exchange
from app.connections.endings import ADDRESS_FULL
from app.graphql.body import read_body
from app.graphql.headers import headers_of
from app.graphql.origins import is_allowed_origin
from app.graphql.principal import address_of, principal_of
from app.graphql.request_body import body_of_url
from app.sse.conversation import converse
from app.sse.events import COMPLETE, next_event
from app.sse.given import MAX_BYTES, asked_in_url, posted
from app.sse.listed_stream import ListedStream
from app.sse.services import StreamServices
from app.sse.stream import EventStream
from app.sse.streamed_operation import StreamedOperation
from app.telemetry.log_context import RequestIds, RequestMark, current, marked
from permissions.errors import GraphQLRefusal
from permissions.session import Session

log = structlog.get_logger(__name__)

Headers = Mapping[str, str]


class GraphQLEvents:
    """An ASGI application for HTTP scopes, GET and POST.

    Whatever happens inside GraphQL is an event of a response of 200; other statuses say that it never got there. With tokens in
    cookies `json_only` must be set, as for plain requests.
    """

    def __init__(
        self,
        services: StreamServices,
        *,
        allowed_origins: Collection[str] = (),
        own_hosts: Collection[str] = (),
        max_bytes: int = MAX_BYTES,
        json_only: bool = False,
    ) -> None:
        self._services, self._max_bytes, self._json_only = services, min(max_bytes, MAX_BYTES), json_only
        self._allowed_origins, self._own_hosts = frozenset(allowed_origins), frozenset(own_hosts)
        self._open: Counter[str] = Counter()
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one stream from its request to its end."""
        headers = headers_of(scope["headers"])
        request_id = self._ids.of(headers.get("x-request-id"))
        with marked(RequestMark(request_id)):
            if not is_allowed_origin(headers, self._allowed_origins, self._own_hosts):
                log.info("event_stream_origin_refused")
                await _refuse(send, 403, "Pages of this origin may not ask for events.")
                return
            place = self._services.clients.take(scope["client"][0] if scope.get("client") else None)
            if place is None:
                await _refuse(send, 503, ADDRESS_FULL.words)
                return
            try:
                await self._read_and_stream(scope, headers, request_id, receive, send)
            finally:
                self._services.clients.give_back(place)

    async def _read_and_stream(self, scope: Scope, headers: Headers, request_id: str, receive: Receive, send: Send) -> None:
        is_post = scope["method"] == "POST"
        if is_post and self._json_only and not headers.get("content-type", "").startswith("application/json"):
            await _refuse(send, 415, "The content type of a request is application/json.")
            return
        body = await read_body(headers, receive, self._max_bytes)
        if body is None:
            await _refuse(send, 413, f"A request for events is at most {self._max_bytes} bytes.")
            return
        judged = Exchange(body)
        # Who asks is known before the head goes out: a webhook's cookies are in it.
        who = await self._who(headers, judged, None if is_post else scope["query_string"])
        stream = EventStream(receive, send)
        await stream.open(request_id, judged.headers)
        self._services.metrics.event_streams.inc()
        try:
            await self._answer(scope, headers, request_id, body if is_post else None, who, stream)
        finally:
            self._services.metrics.event_streams.dec()

    async def _who(self, headers: Headers, judged: Exchange, url: bytes | None) -> Session | GraphQLRefusal:
        try:
            if url is not None:
                judged.body = body_of_url(url)
            return await self._services.authenticator.authenticate(headers, judged)
        except GraphQLRefusal as refused:
            return refused

    async def _answer(
        self, scope: Scope, headers: Headers, request_id: str, body: bytes | None, who: Session | GraphQLRefusal, stream: EventStream
    ) -> None:
        try:
            if isinstance(who, GraphQLRefusal):
                raise who
            session = who
            current.set(RequestMark(request_id, session.role))
            with self._counted(principal_of(session, scope)) as principal:
                asked = asked_in_url(scope["query_string"], headers, principal) if body is None else posted(body, headers, principal)
                request = asked._replace(address=address_of(scope))
                operation = StreamedOperation(request, session, self._services.context_of(session, scope), self._services, stream)
                listed = ListedStream(session, scope)
                with self._services.sockets.listed(listed):
                    await converse(stream, operation, self._services, listed, reads_only=body is None)
        except GraphQLRefusal as refused:
            self._services.outcomes.refused(refused)
            await stream.send(next_event(refused.body()) + COMPLETE)
            await stream.close()

    @contextmanager
    def _counted(self, principal: str) -> Iterator[str]:
        """One more of that principal; raises limit-exceeded."""
        most = self._services.limits.of_one_principal
        if self._open[principal] >= most:
            raise GraphQLRefusal("limit-exceeded", f"no more than {most} streams of events at once; close some")
        self._open[principal] += 1
        try:
            yield principal
        finally:
            self._open[principal] -= 1
            if not self._open[principal]:
                del self._open[principal]


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(words.encode())).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
