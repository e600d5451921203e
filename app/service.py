"""Everything behind the wires, opened in order and closed in reverse."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg
import structlog
from starlette.routing import BaseRoute
from starlette.types import Scope

import resolvers.actions
from app.auth import Authenticator
from app.authentication import jwt_configuration, open_authenticator
from app.database import PoolDatabase, open_pool
from app.dependencies import check_migrated, open_redis_check, product_checks
from app.events import BroadcastHub, open_hub
from app.health import Check
from app.jobs import start_jobs
from app.livekit.signature import WebhookSignatures
from app.livekit.webhooks import LiveKitWebhooks
from app.metrics import Metrics
from app.reflection import reflect
from app.settings import Settings
from app.subscriptions import EngineSubscriptions
from app.transactions import Observe
from app.websocket.ports import Engine, Subscriptions
from app.world import livekit_secret, open_world
from domain.ports import Publisher
from domain.webhooks import inbox
from domain.world import World
from permissions.reading.metadata import load
from permissions.resolving.resolve import Resolved, resolve
from permissions.session import Session
from resolvers.documents.limits import Limits
from resolvers.engine import Engine as GraphQLEngine
from resolvers.hand_written.root_fields import scan
from resolvers.live.cohorts import LiveQueries

log = structlog.get_logger(__name__)
PRODUCT_METADATA = Path(__file__).resolve().parent.parent / "permissions" / "metadata"
# The job queue holds connections of its own: a scheduler that waits for one would miss its second.
JOB_CONNECTIONS = 4


@dataclass(slots=True)
class Service:
    """What the wires need. `context_of` makes what resolvers get beside the session."""

    engine: Engine
    subscriptions: Subscriptions
    authenticator: Authenticator
    metrics: Metrics
    context_of: Callable[[Session, Scope], object]
    tokens_in_cookies: bool
    checks: list[Check] = field(default_factory=list)
    routes: list[BaseRoute] = field(default_factory=list)


@asynccontextmanager
async def open_service(settings: Settings, metadata: Path | None, observe: Observe) -> AsyncIterator[Service]:
    """Raises one of app.startup's errors when something that is needed is not there."""
    async with AsyncExitStack() as stack:
        metrics = Metrics()
        configuration = jwt_configuration(settings)
        authenticator = await stack.enter_async_context(open_authenticator(settings, configuration))
        hub = await stack.enter_async_context(open_hub(_redis_url(settings)))
        database = await _database(settings, hub, metrics, stack)
        if metadata is None:
            await check_migrated(database)
        resolved = await _resolve(settings, metadata)
        if settings.unauthorized_role not in (None, *resolved.roles):
            log.warning("no permission names the role of NCHAT_UNAUTHORIZED_ROLE: callers without a token see nothing")
        engine = GraphQLEngine.build(
            resolved.catalog,
            resolved.roles,
            database,
            scan(resolvers.actions) if metadata is None else None,
            limits=Limits(settings.query_max_depth, settings.query_max_cost),
        )
        service = Service(
            engine=engine,
            subscriptions=EngineSubscriptions(engine, LiveQueries(database, hub.follow)),
            authenticator=authenticator,
            metrics=metrics,
            context_of=_no_context,
            tokens_in_cookies=configuration is not None and configuration.header.kind == "Cookie",
            checks=[Check("database", database.ping), *await stack.enter_async_context(open_redis_check(settings))],
        )
        if metadata is None:
            await _add_product(service, settings, resolved, database, hub, observe, stack)
        yield service


async def _database(settings: Settings, publisher: Publisher, metrics: Metrics, stack: AsyncExitStack) -> PoolDatabase:
    pool = await stack.enter_async_context(open_pool(settings.database_url.get_secret_value(), max_size=settings.database_pool_size))
    database = PoolDatabase(pool, publisher)
    metrics.watch_pool(database.connections)
    return database


async def _resolve(settings: Settings, metadata: Path | None) -> Resolved:
    """The metadata against this database; the product's own must fit without a single problem."""
    reflected = await reflect(settings.database_url.get_secret_value())
    return resolve(load(metadata or PRODUCT_METADATA), reflected.metadata, reflected.functions, strict=metadata is None)


async def _add_product(
    service: Service,
    settings: Settings,
    resolved: Resolved,
    database: PoolDatabase,
    hub: BroadcastHub,
    observe: Observe,
    stack: AsyncExitStack,
) -> None:
    world = await stack.enter_async_context(open_world(settings, resolved, hub, observe))
    wake = await _start_jobs(settings, world, service.metrics, stack)
    service.context_of = lambda _session, _scope: world
    service.checks.extend(product_checks(settings, database, world.rooms))
    service.routes.extend(_webhooks(settings, world, wake))


async def _start_jobs(settings: Settings, world: World, metrics: Metrics, stack: AsyncExitStack) -> Callable[[], None]:
    pool = await asyncpg.create_pool(settings.database_url.get_secret_value(), min_size=1, max_size=JOB_CONNECTIONS)
    stack.push_async_callback(pool.close)
    jobs = await start_jobs(world, pool, observe=metrics.job)
    stack.push_async_callback(jobs.stop)
    return jobs.wake


def _redis_url(settings: Settings) -> str | None:
    return settings.redis_url.get_secret_value() if settings.redis_url else None


def _webhooks(settings: Settings, world: World, wake: Callable[[], None]) -> Sequence[BaseRoute]:
    if not settings.livekit_enabled:
        return []
    signatures = WebhookSignatures({settings.signs_webhooks: livekit_secret(settings)})
    return [LiveKitWebhooks(signatures, partial(inbox.store, world), wake).route()]


def _no_context(_session: Session, _scope: Scope) -> object:
    return None
