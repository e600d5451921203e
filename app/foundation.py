"""What the engine stands on, whatever metadata it serves: database, rules, hints, and who may ask."""

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from app.auth import Authenticator
from app.auth.open_authenticator import jwt_configurations, open_authenticator
from app.database.migration_state import check_migrated
from app.database.pool import PoolDatabase, open_pool
from app.database.reflection import reflect
from app.database.shares.shared_pool import SharedPool, StatementLimits, pool_size
from app.hints import BroadcastHub, open_hub
from app.http.health import Check
from app.http.readiness import open_redis_check
from app.media.links import link_additions
from app.settings import Settings
from app.telemetry.looking import looking
from app.telemetry.metrics import Metrics
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import Resolved, resolve
from schema.tables import note_history, note_numberings

log = structlog.get_logger(__name__)

PRODUCT_METADATA = Path(__file__).resolve().parent.parent / "permissions" / "metadata"


@dataclass(frozen=True, slots=True)
class Foundation:
    """Addresses are in clear here, each unwrapped once, and never printed."""

    settings: Settings
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    metrics: Metrics
    authenticator: Authenticator
    tokens_in_cookies: bool
    hub: BroadcastHub
    database: PoolDatabase
    shared_database: SharedPool
    resolved: Resolved
    checks: Sequence[Check]


@asynccontextmanager
async def open_foundation(settings: Settings, metadata: Path | None) -> AsyncIterator[Foundation]:
    """Closed in reverse at the end. `metadata` is foreign; the product's own (None) needs the newest migration and must fit without a
    single problem. Raises one of `app.startup.STARTUP_ERRORS`.
    """
    database_url = settings.database_url.get_secret_value()
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(looking(metrics))
        tokens = jwt_configurations(settings)
        additions = link_additions(settings, media=settings.has_store) if metadata is None else {}
        authenticator = await stack.enter_async_context(open_authenticator(settings, tokens, additions))
        hub = await stack.enter_async_context(open_hub(redis_url, database_url if settings.broker == "postgres" else None))
        log.info("hints_through", broker=settings.broker)
        if hub.broker is not None:
            metrics.watch_broker(hub.broker, lambda: hub.connected)
        opening = open_pool(database_url, max_size=pool_size(settings.database_pool_size), variables=settings.database_variables)
        pool = await stack.enter_async_context(opening)
        database = PoolDatabase(pool, hub)
        limits = StatementLimits(settings.statements_per_principal, settings.statement_timeout, settings.admin_statement_timeout)
        metrics.watch_pool("graphql", database.connections)
        resolved = await resolve_metadata(settings, database, metadata)
        if settings.unauthorized_role not in (None, *resolved.roles):
            log.warning("unauthorized_role_unknown", hint="no permission names the role of NCHAT_UNAUTHORIZED_ROLE: it sees nothing")
        yield Foundation(
            settings=settings,
            database_url=database_url,
            redis_url=redis_url,
            metrics=metrics,
            authenticator=authenticator,
            # A webhook is told all cookies, and only its author knows which of them count.
            tokens_in_cookies=settings.auth_hook is not None or any(one.header.kind == "Cookie" for one in tokens),
            hub=hub,
            database=database,
            shared_database=SharedPool(database, settings.database_pool_size, limits, time.monotonic),
            resolved=resolved,
            checks=[
                Check("database", database.ping),
                Check("disk", database.check_disk, essential=False),
                *([] if hub.broker is None else [Check("hints", hub.look, essential=False)]),
                *await stack.enter_async_context(open_redis_check(redis_url)),
            ],
        )


async def resolve_metadata(settings: Settings, database: PoolDatabase, metadata: Path | None) -> Resolved:
    """Tables, functions and roles as they are written now: the product's, or those of foreign `metadata`. Files are read, and compared with
    the database, beside the event loop. Raises one of `app.startup.STARTUP_ERRORS`.
    """
    if metadata is None:
        await check_migrated(database)
    how = () if metadata is None else (settings.metadata_source, settings.default_naming_convention)
    read = await asyncio.to_thread(load_metadata, metadata or PRODUCT_METADATA, *how)
    reflected = await reflect(settings.database_url.get_secret_value(), read.enum_tables)
    rules = partial(resolve, read, reflected.metadata, reflected.functions)
    if metadata is not None:
        as_set = {"infer_functions": settings.infer_function_permissions, "numbers_as_text": settings.stringify_numeric_types}
        return await asyncio.to_thread(rules, strict=False, **as_set)
    note_numberings(reflected.metadata)
    note_history(reflected.metadata)
    return await asyncio.to_thread(rules, strict=True, actions=_action_names())


def _action_names() -> frozenset[str]:
    """Imported where they are served: foreign metadata needs none of it."""
    names: frozenset[str] = importlib.import_module("app.product").ACTIONS.names
    return names
