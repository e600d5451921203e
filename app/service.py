"""Everything behind the transports, opened in order and closed in reverse."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from starlette.routing import BaseRoute

from app.adapters.rate_limits import open_limiter
from app.additions import OpensProduct, Product
from app.auth import Authenticator
from app.foundation import Foundation, open_foundation, resolve_metadata
from app.graphql.ports import ContextOf, Executes, Subscribes
from app.graphql.served_engine import ServedEngine
from app.graphql.subscriptions import EngineSubscriptions
from app.http.health import Check
from app.settings import Settings
from app.sockets.answering import open_sockets
from app.sockets.open_sockets import OpenSockets
from app.telemetry.metrics import Metrics
from app.telemetry.moments import Observe
from app.telemetry.outcomes import Outcomes
from permissions.allow_list import AllowList
from permissions.resolving.resolve import Resolved
from resolvers.documents.limits import Limits
from resolvers.engine import Engine
from resolvers.feeds.open_rooms import open_rooms
from resolvers.live.cohorts import LiveQueries
from resolvers.run.operation_rates import OperationRates

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """What the transports need."""

    engine: Executes
    subscriptions: Subscribes
    authenticator: Authenticator
    tokens_in_cookies: bool
    metrics: Metrics
    context_of: ContextOf
    checks: Sequence[Check]
    routes: Sequence[BaseRoute]
    sockets: OpenSockets
    # Serves the metadata as it is written now; raises like `open_service`.
    reload: Callable[[], Awaitable[None]]


@asynccontextmanager
async def open_service(settings: Settings, metadata: Path | None, observe: Observe) -> AsyncIterator[Service]:
    """The product, or the engine over foreign `metadata`. Raises one of app.startup's errors when something needed is not there."""
    is_product = metadata is None
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(open_foundation(settings, metadata))
        product = await stack.enter_async_context(_opens_product()(base, observe)) if is_product else Product()
        limiter = await stack.enter_async_context(open_limiter({}, base.redis_url))
        engine_over = partial(_engine_over, base, product, limiter.operation)
        engine = ServedEngine(engine_over(base.resolved))
        live_queries = LiveQueries(
            base.shared_database,
            base.hub.follow,
            most=settings.live_queries_per_principal,
            report=partial(Outcomes(base.metrics, "websocket").refused, kind="subscription"),
        )
        rooms = await stack.enter_async_context(open_rooms(base.database, base.resolved.catalog, base.resolved.rules, base.hub.follow))
        stack.push_async_callback(engine.stop)

        async def reload() -> None:
            resolved = await resolve_metadata(settings, base.database, metadata)
            # Beside the event loop, which has the interpreter back every millisecond: large metadata take seconds.
            engine.replace(await asyncio.to_thread(engine_over, resolved))
            live_queries.begin_anew()
            rooms.begin_anew(resolved.catalog, resolved.rules)
            product.begin_anew(resolved)

        yield Service(
            engine=engine,
            subscriptions=EngineSubscriptions(engine, live_queries, rooms),
            authenticator=base.authenticator,
            tokens_in_cookies=base.tokens_in_cookies,
            metrics=base.metrics,
            context_of=product.context_of,
            checks=[*base.checks, *product.checks],
            routes=product.routes,
            sockets=await stack.enter_async_context(open_sockets(base.database_url)),
            reload=reload,
        )


def _opens_product() -> OpensProduct:
    """Imported where it is served: the clients of LiveKit and S3 take longer than all of the engine."""
    opens: OpensProduct = importlib.import_module("app.product").open_product
    return opens


def _engine_over(base: Foundation, product: Product, rates: OperationRates, resolved: Resolved) -> Engine:
    settings = base.settings
    if not settings.enable_allowlist and resolved.allow_list != AllowList():
        log.warning("allow_list_off", hint="NCHAT_ENABLE_ALLOWLIST is not set: every document is answered")
    engine = Engine.build(
        resolved.catalog,
        resolved.roles,
        base.shared_database,
        product.actions,
        limits=Limits(settings.query_max_depth, settings.query_max_cost, settings.answer_max_bytes, settings.admin_answer_max_bytes),
        api_limits=resolved.api_limits,
        allow_list=resolved.allow_list if settings.enable_allowlist else None,
        insert_budgets=product.insert_budgets,
        rates=rates,
        admin_internal_errors=settings.admin_internal_errors,
    )
    engine.derive_roles()
    return engine
