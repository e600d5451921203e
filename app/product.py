"""What nchat adds to the engine: a world for its actions, jobs, LiveKit's webhooks and the door to its rooms."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from starlette.routing import BaseRoute

import resolvers.actions
from app.adapters.insert_budgets import insert_budgets
from app.additions import Product
from app.database.closing import close_pool
from app.database.pool import CONNECT_TIMEOUT
from app.embed.endpoint import EmbedPages
from app.embed.headers import page_headers
from app.foundation import Foundation
from app.http.readiness import product_checks
from app.jobs import start_jobs
from app.livekit.access_tokens import AccessTokens
from app.livekit.admission_endpoint import AdmissionEndpoint
from app.livekit.admissions import Admissions
from app.livekit.webhook_endpoint import LiveKitWebhooks
from app.livekit.webhook_signature import WebhookSignatures
from app.livekit.webhook_store import StoredTogether
from app.media.calendar_endpoint import CalendarEndpoint
from app.media.cdn import Cdn
from app.media.endpoint import MediaEndpoint
from app.media.library import Library
from app.media.links import LinkKey
from app.media.looks import SharedLooks
from app.media.visitors import Visitors
from app.telemetry.moments import Observe
from app.world import open_door, open_world
from domain.recordings.playing.visible import Visible
from domain.recordings.retention.default_policy import has_default_policy
from domain.webhooks import inbox
from domain.world import Transactions, World
from permissions.compiling.readable import ReadableRows
from permissions.resolving.resolve import Resolved
from resolvers.hand_written.action_fields import scan

log = structlog.get_logger(__name__)

# The job queue holds connections of its own: a scheduler that waits for one would miss its second.
JOB_CONNECTIONS = 4
ACTIONS: Final = scan(resolvers.actions)


@asynccontextmanager
async def open_product(base: Foundation, observe: Observe) -> AsyncIterator[Product]:
    """Starts the jobs; they end, and what they used is closed, at the end. `observe` hears of each commit and each call of a port."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(base, observe))
        admission = await stack.enter_async_context(open_door(base, world, observe))
        await _look_at_policy(world)
        wake = await _start_jobs(base, world, stack)
        yield Product(
            context_of=lambda _session, _scope: world,
            checks=product_checks(base.database, world.rooms, world.store, with_livekit=base.settings.livekit_enabled),
            routes=[*_livekit_routes(base, world, admission, wake), *_media_routes(base, world), *_calendar_routes(base, world)],
            insert_budgets=insert_budgets(world.limiter),
            actions=ACTIONS,
            begin_anew=partial(_begin_anew, world),
        )


def _begin_anew(world: World, resolved: Resolved) -> None:
    world.rules.now = ReadableRows(resolved.catalog, resolved.rules)
    world.ring_watch.begin_anew()


async def _look_at_policy(world: World) -> None:
    if world.store is not None and not await has_default_policy(world):
        log.warning("retention_policy_unknown", policy=world.limits.default_policy)


async def _start_jobs(base: Foundation, world: World, stack: AsyncExitStack) -> Callable[[], None]:
    pool = await asyncpg.create_pool(base.database_url, min_size=1, max_size=JOB_CONNECTIONS, timeout=CONNECT_TIMEOUT)
    stack.push_async_callback(close_pool, pool)
    base.metrics.watch_pool("jobs", lambda: (pool.get_size(), pool.get_idle_size()))
    jobs = await start_jobs(world, pool, observe=base.metrics.job, backlog=base.metrics.webhook_backlog)
    stack.push_async_callback(jobs.stop)
    return jobs.wake


def _livekit_routes(base: Foundation, world: World, admission: Transactions, wake: Callable[[], None]) -> Sequence[BaseRoute]:
    settings = base.settings
    if not settings.livekit_enabled:
        return []
    secret = settings.livekit_secret()
    signatures = WebhookSignatures({settings.signs_webhooks: secret})
    webhooks = LiveKitWebhooks(signatures, StoredTogether(partial(inbox.store_all, world)), wake)
    door = AdmissionEndpoint(AccessTokens(settings.livekit_api_key, secret), Admissions.of(admission), base.metrics.livekit_admission)
    return [webhooks.route(), *door.routes()]


def _media_routes(base: Foundation, world: World) -> Sequence[BaseRoute]:
    key, settings = LinkKey.of(base.settings), base.settings
    if world.store is None:
        return []
    if key is None:
        log.warning("media_without_links", hint="set NCHAT_LINK_KEY: until then recordings and streams have no addresses")
        return []
    visitors = Visitors(key, world.clock, settings.unauthorized_role)
    visible = Visible(world, SharedLooks(base.shared_database))
    cdn = settings.stream_cdn_url and Cdn.over(settings.stream_cdn_url, settings.stream_bucket, recordings=settings.recording_bucket)
    library = Library(visible, world.store, cdn=cdn or None)
    # In whichever bucket: some stores have a name for each.
    buckets = [world.store.of(name).link("-", seconds=1) for name in (None, settings.stream_bucket)]
    from_elsewhere = [*buckets, *([settings.stream_cdn_url] if settings.stream_cdn_url else [])]
    return [
        *MediaEndpoint(visitors, library, base.metrics.media_request).routes(settings.cors_origins),
        *EmbedPages(visitors, visible, page_headers(from_elsewhere, settings.embed_origins)).routes(),
    ]


def _calendar_routes(base: Foundation, world: World) -> Sequence[BaseRoute]:
    key, settings = LinkKey.of(base.settings), base.settings

    def page(noun: str, id: UUID) -> str:
        if noun == "call" and settings.call_page_url is not None:
            return f"{settings.call_page_url}/{id}"
        return settings.public_url

    return [] if key is None else CalendarEndpoint(key, world, world.clock, page, base.metrics.media_request).routes()
