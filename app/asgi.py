"""The service as one ASGI application: GraphQL on its own short path, everything else through Starlette."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.connections.connections import STATE, Connections
from app.connections.limits import ConnectionLimits, connections_that_fit
from app.graphql.compression import Compression
from app.graphql.headers import headers_of
from app.graphql.large_answers import LargeAnswers
from app.graphql.ports import Executes
from app.http import foreign_hosts
from app.http.console import OfferedUser, console_routes
from app.http.console_tokens import token_maker
from app.http.graphql import GraphQLHttp
from app.http.health import health_routes
from app.http.metrics_route import metrics_routes
from app.http.version_route import version_routes
from app.interpreter import settle
from app.reloading import reloads_on_hangup
from app.service import Service, open_service
from app.settings import Settings
from app.settings.own_hosts import own_hosts
from app.sse.endpoint import GraphQLEvents
from app.sse.services import StreamLimits, StreamServices
from app.startup import STARTUP_ERRORS, sentence
from app.telemetry.log_context import RequestIds, RequestMark, marked
from app.telemetry.moments import Observe, unobserved
from app.telemetry.outcomes import Outcomes
from app.telemetry.version import VERSION
from app.websocket.endpoint import GraphQLWebSocket
from app.websocket.socket_services import SocketLimits, SocketServices

log = structlog.get_logger(__name__)

GRAPHQL_PATH = "/v1/graphql"
# Hasura: the same, and the status of an answer tells of errors.
ALPHA_PATH = "/v1alpha1/graphql"
# Whoever comes from Hasura may have set names that nothing reads.
OPEN_HINT = "set NCHAT_ADMIN_SECRET, NCHAT_JWT_SECRET or NCHAT_AUTH_HOOK, or Hasura's names of them, as HASURA_GRAPHQL_ADMIN_SECRET"


def create_app(
    settings: Settings, *, metadata: Path | None = None, offered_users: Sequence[OfferedUser] = (), observe: Observe = unobserved
) -> "Application":
    """The product, or with `metadata` that Hasura metadata over any database: no call actions, no jobs, no LiveKit then.

    The console offers `offered_users` to act as. `observe` hears of every commit and every call of a port. Nothing is opened
    before the lifespan starts; a start that fails says why in one sentence in the log.
    """
    return Application(settings, metadata, offered_users, observe)


class Application(Starlette):
    """Starlette's middleware and routing cost as much as a query by primary key, so GraphQL goes around them."""

    def __init__(self, settings: Settings, metadata: Path | None, offered_users: Sequence[OfferedUser], observe: Observe) -> None:
        super().__init__()
        self._settings, self._metadata, self._observe = settings, metadata, observe
        self._graphql: dict[tuple[str, str], ASGIApp] = {}
        self._ids = RequestIds()
        self._own_hosts = own_hosts(settings)
        # Whoever asks this service gets tokens for people.
        self._gives_tokens = bool(offered_users)
        token_for = token_maker(settings) if offered_users else None
        self.router.routes.extend(console_routes(offered_users, token_for, store=settings.store_origin))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif self._gives_tokens and foreign_hosts.is_foreign(scope, self._own_hosts):
            await foreign_hosts.refuse(scope, receive, send, self._own_hosts)
        elif scope["path"] in (GRAPHQL_PATH, ALPHA_PATH):
            await self._graphql[scope["path"], scope["type"]](scope, receive, send)
        else:
            # Log lines name the request, as those of GraphQL do by themselves.
            with marked(RequestMark(self._ids.of(headers_of(scope["headers"]).get("x-request-id")))):
                await super().__call__(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        began = time.perf_counter()
        async with AsyncExitStack() as stack:
            try:
                service = await stack.enter_async_context(open_service(self._settings, self._metadata, self._observe))
            except STARTUP_ERRORS as error:
                log.error("cannot_start", reason=sentence(error))
                await send({"type": "lifespan.startup.failed"})
                return
            scope["state"][STATE] = connections = self._connections(service)
            self._serve(service, connections)
            settle()
            log.info("serving", version=VERSION, seconds=round(time.perf_counter() - began, 2), product=self._metadata is None)
            await send({"type": "lifespan.startup.complete"})
            with reloads_on_hangup(service.reload):
                await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _connections(self, service: Service) -> Connections:
        """For the server's protocols, which know nothing of our settings: ASGI gives them the lifespan's state."""
        limits = ConnectionLimits(
            head_bytes=self._settings.headers_max_bytes,
            per_address=self._settings.connections_per_address,
            total=connections_that_fit(),
            unsent_bytes=self._settings.unsent_max_bytes,
            trusted_proxies=self._settings.trusted_proxies,
        )
        return Connections(limits, asyncio.get_running_loop(), service.metrics.connection_ended)

    def _serve(self, service: Service, connections: Connections) -> None:
        settings = self._settings
        engine = LargeAnswers(service.engine)
        websocket = self._websocket(service, engine, connections)
        for path in (GRAPHQL_PATH, ALPHA_PATH):
            self._graphql[path, "http"] = self._http(service, engine, connections, statuses=path == ALPHA_PATH)
            self._graphql[path, "websocket"] = websocket
        routes = [*health_routes(service.checks), *version_routes(), *metrics_routes(service.metrics), *service.routes]
        self.router.routes.extend(routes)
        if service.tokens_in_cookies and "*" in (*settings.cors_origins, *settings.websocket_origins):
            log.warning("any_origin_has_no_cookies", hint="name the pages that may listen: NCHAT_WEBSOCKET_ORIGINS or NCHAT_CORS_ORIGINS")
        if settings.is_open:
            log.warning("everybody_is_admin", hint=OPEN_HINT)

    def _http(self, service: Service, engine: Executes, connections: Connections, *, statuses: bool) -> ASGIApp:
        graphql = GraphQLHttp(
            engine,
            service.authenticator,
            service.metrics,
            context_of=service.context_of,
            max_bytes=self._settings.max_request_bytes,
            json_only=service.tokens_in_cookies,
            statuses=statuses,
            events=self._events(service, engine, connections),
            compression=Compression(everything=self._settings.compress_answers),
        )
        origins = self._settings.cors_origins
        if not origins:
            return graphql
        # A cookie may only be sent from pages that are named.
        return CORSMiddleware(
            graphql,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            allow_credentials="*" not in origins,
            expose_headers=["x-request-id"],
            max_age=3600,
        )

    def _events(self, service: Service, engine: Executes, connections: Connections) -> ASGIApp:
        services = StreamServices(
            engine,
            service.subscriptions,
            service.authenticator,
            service.metrics,
            Outcomes(service.metrics, "sse"),
            service.context_of,
            connections.clients,
            connections.farewells,
            StreamLimits(of_one_principal=self._settings.socket_max_operations),
            service.sockets,
        )
        return GraphQLEvents(
            services,
            allowed_origins=_pages(self._settings.cors_origins, service),
            own_hosts=self._own_hosts,
            max_bytes=self._settings.max_request_bytes,
            json_only=service.tokens_in_cookies,
        )

    def _websocket(self, service: Service, engine: Executes, connections: Connections) -> ASGIApp:
        services = SocketServices(
            engine,
            service.subscriptions,
            service.authenticator,
            service.metrics,
            Outcomes(service.metrics, "websocket"),
            service.context_of,
            connections.clients,
            SocketLimits(max_operations=self._settings.socket_max_operations),
            service.sockets,
        )
        origins = self._settings.websocket_origins or self._settings.cors_origins
        return GraphQLWebSocket(services, allowed_origins=_pages(origins, service), own_hosts=self._own_hosts)


def _pages(origins: Sequence[str], service: Service) -> Sequence[str]:
    """Those that may listen. A cookie goes along from any page, so where one says who asks, only pages that are named may."""
    return [origin for origin in origins if origin != "*"] if service.tokens_in_cookies else origins
