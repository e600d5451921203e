"""`/v1/graphql`, by POST and for queries by GET: a bare ASGI application, because every layer costs as much as the request itself."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from app.auth.authenticator import Authenticates
from app.auth.hook import Exchange
from app.graphql.accepted import JSON, RESPONSE_JSON, wants_events, wants_statuses
from app.graphql.body import read_body
from app.graphql.compression import HEADERS as COMPRESSED
from app.graphql.compression import Compression
from app.graphql.headers import headers_of
from app.graphql.ports import ContextOf, Executes
from app.graphql.principal import address_of, principal_of
from app.graphql.request_body import body_of_url, parse_body, request_in_url, request_of
from app.graphql.statuses import status_of
from app.telemetry.log_context import RequestIds, RequestMark, current, marked
from app.telemetry.metrics import Metrics
from app.telemetry.outcomes import Outcomes
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.exact_json import takes_long
from resolvers.documents.request import Request, Tally

# Bytes: reading JSON of this size takes about a millisecond, and of the largest allowed 20.
_LARGE_BODY = 64 * 1024
_JSON = f"{JSON}; charset=utf-8".encode()
_RESPONSE_JSON = f"{RESPONSE_JSON}; charset=utf-8".encode()
_ALLOW = (b"allow", b"POST, GET, OPTIONS")
# What a GET answers is one caller's, and may carry a cookie of theirs: no cache between keeps it.
_UNCACHED = ((b"cache-control", b"no-store"),)


class GraphQLHttp:
    """Answers with HTTP 200 whatever happens inside GraphQL, as Hasura does; other statuses say that it never got there.

    With `statuses`, and to who asks for GraphQL's own media type, the status tells of errors too. With tokens in cookies `json_only`
    must be set: a foreign page can send a cookie along, but no JSON without asking first. Who asks for a stream of events is handed on
    to `events`.
    """

    def __init__(
        self,
        engine: Executes,
        authenticator: Authenticates,
        metrics: Metrics,
        *,
        context_of: ContextOf,
        max_bytes: int = 1 << 20,
        json_only: bool = False,
        console: str | None = "/console",
        statuses: bool = False,
        events: ASGIApp | None = None,
        compression: Compression | None = None,
    ) -> None:
        self._engine, self._authenticator, self._outcomes = engine, authenticator, Outcomes(metrics, "http")
        self._context_of, self._max_bytes, self._json_only, self._console = context_of, max_bytes, json_only, console
        self._events, self._statuses = events, statuses
        self._compression = compression or Compression(everything=False)
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request of this path."""
        headers = headers_of(scope["headers"])
        if self._events is not None and wants_events(scope["method"], headers):
            await self._events(scope, receive, send)
            return
        request_id = self._ids.of(headers.get("x-request-id"))
        if scope["method"] == "POST" or (scope["method"] == "GET" and _asks(scope["query_string"])):
            await self._exchanged(scope, headers, request_id, receive, send)
        elif scope["method"] == "GET" and self._console is not None and "text/html" in headers.get("accept", ""):
            await _respond(send, 303, b"", request_id, (b"location", self._console.encode()))
        elif scope["method"] == "OPTIONS":
            await _respond(send, 204, b"", request_id, _ALLOW)
        else:
            refusal = GraphQLRefusal("method-not-allowed", "GraphQL requests are POST requests with a JSON body")
            await _respond(send, 405, self._refused(refusal), request_id, _ALLOW)

    async def _exchanged(self, scope: Scope, headers: dict[str, str], request_id: str, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        with marked(RequestMark(request_id)):
            exchange = Exchange()
            own = wants_statuses(headers)
            status, body = await self._read_and_answer(scope, headers, request_id, receive, exchange, own or self._statuses)
            more = [*exchange.headers, *(_UNCACHED if scope["method"] == "GET" else ())]
            compressed = await self._compression.of(body, headers)
            if compressed is not None:
                body, more = compressed, [*more, *COMPRESSED]
            await _respond(send, status, body, request_id, *more, media=_RESPONSE_JSON if own else _JSON)
            self._outcomes.took(time.perf_counter() - started, len(body))

    async def _read_and_answer(
        self, scope: Scope, headers: dict[str, str], request_id: str, receive: Receive, exchange: Exchange, tells: bool
    ) -> tuple[int, bytes]:
        """`tells`: the status tells of errors inside GraphQL."""
        if scope["method"] == "POST":
            if self._json_only and not headers.get("content-type", "").startswith("application/json"):
                return 415, self._refused(GraphQLRefusal("bad-request", "the content type of a request is application/json"))
            exchange.body = await read_body(headers, receive, self._max_bytes)
            if exchange.body is None:
                return 413, self._refused(GraphQLRefusal("bad-request", f"the request is larger than {self._max_bytes} bytes"))
        try:
            if scope["method"] != "POST":
                exchange.body = body_of_url(scope["query_string"])
            status, body = await self._answer(scope, headers, request_id, exchange)
        except GraphQLRefusal as refusal:
            status, body = status_of(refusal), self._refused(refusal)
        return status if tells or status == 405 else 200, body

    async def _answer(self, scope: Scope, headers: dict[str, str], request_id: str, exchange: Exchange) -> tuple[int, bytes]:
        session = await self._authenticator.authenticate(headers, exchange)
        current.set(RequestMark(request_id, session.role))
        context = self._context_of(session, scope)
        principal, address = principal_of(session, scope), address_of(scope)
        if scope["method"] == "GET":
            return await self._read_only(request_in_url(scope["query_string"], principal)._replace(address=address), session, context)
        body = exchange.body or b""
        read = partial(parse_body, body, principal, address)
        is_large = len(body) > _LARGE_BODY or takes_long(body)
        parsed = await self._engine.apart(principal, read, len(body)) if is_large else read()
        if not isinstance(parsed, list):
            return await self._execute(parsed, session, context)
        self._engine.may_batch(len(parsed), session)
        tally = Tally()

        def member(raw: object) -> Request:
            return request_of(raw, principal, len(body), tally, address)

        return 200, b"[" + b",".join([await self._member(member, raw, session, context) for raw in parsed]) + b"]"

    async def _read_only(self, request: Request, session: Session, context: object) -> tuple[int, bytes]:
        """A GET, which caches, prefetchers and foreign pages repeat as they like: it changes nothing."""
        if await self._engine.kind(request, session) == "mutation":
            return 405, self._refused(GraphQLRefusal("method-not-allowed", "a mutation is a POST request"))
        return await self._execute(request, session, context)

    async def _member(self, member: Callable[[object], Request], raw: object, session: Session, context: object) -> bytes:
        try:
            return (await self._execute(member(raw), session, context))[1]
        except GraphQLRefusal as refusal:
            return self._refused(refusal)

    async def _execute(self, request: Request, session: Session, context: object) -> tuple[int, bytes]:
        await self._engine.admit(request, session)
        answer = await self._engine.execute(request, session, context)
        self._outcomes.note(answer)
        return status_of(answer.refusal), answer.body

    def _refused(self, refusal: GraphQLRefusal) -> bytes:
        """What never got as far as the engine."""
        self._outcomes.refused(refusal)
        return refusal.body()


def _asks(query_string: bytes) -> bool:
    """Whether a URL holds a document, or the hash of one."""
    return b"query=" in query_string or b"extensions=" in query_string


async def _respond(send: Send, status: int, body: bytes, request_id: str, *more: tuple[bytes, bytes], media: bytes = _JSON) -> None:
    headers: list[Any] = [(b"content-length", str(len(body)).encode()), (b"x-request-id", request_id.encode()), *more]
    if body:
        headers.append((b"content-type", media))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
