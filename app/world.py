"""The product's World: the domain's ports with what stands behind them in this process."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from app.adapters.batches import open_batches
from app.adapters.clock import SystemClock
from app.adapters.encryption import Encryption
from app.adapters.event_webhook import EventWebhook
from app.adapters.ffmpeg_joiner import FfmpegJoiner
from app.adapters.ffmpeg_packager import FfmpegPackager
from app.adapters.host_names import SystemHostNames
from app.adapters.push_webhook import PushWebhook
from app.adapters.rate_limits import open_limiter
from app.adapters.signed_webhook import SignedWebhook, open_http, signing_key
from app.adapters.turn import TurnRestCredentials, default_urls
from app.database.transactions import EngineTransactions, connections, open_engine
from app.foundation import Foundation
from app.livekit.egress.gateway import LiveKitRecorder
from app.livekit.ingress.gateway import LiveKitIngests
from app.livekit.join_tokens import LiveKitJoinTokens
from app.livekit.no_media import NoMedia
from app.livekit.requests import Requests
from app.livekit.room_gateway import LiveKitRooms, open_client
from app.livekit.room_settings import RoomTimeouts
from app.settings import ConfigurationError, Settings
from app.storage.recording_bucket import bucket_of, store_address
from app.storage.s3_store import open_store
from app.telemetry.moments import Observe
from domain.deliveries.events import AT_ONCE as EVENTS_AT_ONCE
from domain.deliveries.pushes import AT_ONCE as PUSHES_AT_ONCE
from domain.feeds.ring_rounds import RingRounds
from domain.ports import CallLimits, Clock, EventReceiver, Ingests, JoinTokens, PushService, Rooms, StreamingLimits
from domain.recording_ports import Joiner, ObjectStore, Packager, Recorder
from domain.world import ServedRules, Transactions, World
from permissions.compiling.readable import ReadableRows


@asynccontextmanager
async def open_world(base: Foundation, observe: Observe) -> AsyncIterator[World]:
    """Everything the domain may touch, closed at the end. `observe` hears of each commit and each call of a port."""
    settings, hub, clock = base.settings, base.hub, SystemClock()
    async with AsyncExitStack() as stack:
        opening = open_engine(base.database_url, pool_size=settings.database_pool_size, variables=settings.database_variables)
        engine = await stack.enter_async_context(opening)
        base.metrics.watch_pool("domain", partial(connections, engine))
        limiter = await stack.enter_async_context(open_limiter(_rates(settings), base.redis_url))
        rooms, tokens, recorder, ingests = await _media(base, clock, observe, stack)
        store = await _store(base, observe, stack)
        transaction = EngineTransactions(engine, hub, observe)
        rules = ServedRules(ReadableRows(base.resolved.catalog, base.resolved.rules))
        yield World(
            transaction=transaction,
            rooms=rooms,
            tokens=tokens,
            publisher=hub,
            hub=hub,
            clock=clock,
            limiter=limiter,
            turn=_turn(settings, clock),
            sealer=Encryption([key.get_secret_value() for key in settings.encryption_keys]),
            host_names=SystemHostNames(),
            limits=_call_limits(settings),
            rules=rules,
            ring_watch=RingRounds(transaction, hub, rules),
            server_url=settings.livekit_client_url,
            public_url=settings.public_url,
            stream_limits=_streaming_limits(settings),
            figure=base.metrics.figure,
            batches=await stack.enter_async_context(open_batches()),
            recorder=recorder,
            ingests=ingests,
            store=store,
            joiner=_joiner(settings, store),
            packager=_packager(settings, store),
            push_service=await _push_service(base, clock, stack),
            event_receiver=await _event_receiver(base, clock, stack),
        )


def _call_limits(settings: Settings) -> CallLimits:
    return CallLimits(
        max_participants=settings.max_call_participants,
        max_duration=settings.max_call_minutes * 60,
        token_ttl=settings.livekit_token_ttl,
        recording=settings.recording_enabled,
        max_recording=settings.max_recording_minutes * 60,
        segment_seconds=settings.hls_segment_seconds,
        default_policy=settings.recording_default_policy,
        recording_templates=frozenset(settings.templates),
        media_link_ttl=settings.media_link_ttl,
        sends_to_loopback=settings.destinations_on_loopback,
    )


def _streaming_limits(settings: Settings) -> StreamingLimits:
    return StreamingLimits(
        streaming=settings.streaming_enabled,
        most_at_once=settings.max_concurrent_streams,
        keep_hours=settings.stream_keep_hours,
        bucket=settings.stream_bucket,
    )


@asynccontextmanager
async def open_door(base: Foundation, world: World, observe: Observe) -> AsyncIterator[Transactions]:
    """The door's own connection, opened with the first question: when actions and jobs have all of the domain's, people still get in.

    It asks one question at a time; the second connection is for one that follows a question that was given up.
    """
    async with open_engine(base.database_url, pool_size=1, variables=base.settings.database_variables) as engine:
        base.metrics.watch_pool("door", partial(connections, engine))
        yield EngineTransactions(engine, world.publisher, observe)


def _rates(settings: Settings) -> dict[str, str]:
    return {
        "initiate": settings.rate_limit_initiate,
        "token": settings.rate_limit_token,
        "quality": settings.rate_limit_quality,
        "clip": settings.rate_limit_clip,
        "chat": settings.rate_limit_chat,
        "chat_moderator": settings.rate_limit_chat_moderator,
        "destination": settings.rate_limit_destination,
        "health": settings.rate_limit_health,
        "reaction": settings.rate_limit_reaction,
        "anonymous_join": settings.rate_limit_anonymous_join,
    }


async def _media(
    base: Foundation, clock: Clock, observe: Observe, stack: AsyncExitStack
) -> tuple[Rooms, JoinTokens, Recorder | None, Ingests | None]:
    settings = base.settings
    if not settings.livekit_enabled:
        nothing = NoMedia()
        return nothing, nothing, None, None
    secret, count = settings.livekit_secret(), base.metrics.livekit_request
    client = await stack.enter_async_context(open_client(settings.livekit_api_url, settings.livekit_api_key, secret))
    requests = Requests(observe, count)
    tokens = LiveKitJoinTokens(settings.livekit_api_key, secret, ttl=settings.livekit_token_ttl, clock=clock)
    recorder = LiveKitRecorder(client, requests, bucket_of(settings), settings.templates) if settings.has_store else None
    ingests = LiveKitIngests(client, requests, settings.public_url)
    return LiveKitRooms(client, requests, RoomTimeouts()), tokens, recorder, ingests


async def _store(base: Foundation, observe: Observe, stack: AsyncExitStack) -> ObjectStore | None:
    if not base.settings.has_store:
        return None
    opening = open_store(store_address(base.settings), observe=observe, count=base.metrics.storage_request)
    return await stack.enter_async_context(opening)


def _joiner(settings: Settings, store: ObjectStore | None) -> Joiner | None:
    """None where there is nothing to join, or nobody who does it."""
    program = _ffmpeg(settings)
    return None if store is None or program is None else FfmpegJoiner(program, store)


def _packager(settings: Settings, store: ObjectStore | None) -> Packager | None:
    """None where nobody wants DASH."""
    program = _ffmpeg(settings) if settings.streaming_dash else None
    return None if store is None or program is None else FfmpegPackager(program)


def _ffmpeg(settings: Settings) -> str | None:
    """Its path; None where the settings name none. ConfigurationError for a program that is not there."""
    if settings.ffmpeg is None:
        return None
    program = shutil.which(settings.ffmpeg)
    if program is None:
        raise ConfigurationError(f"NCHAT_FFMPEG names no program: {settings.ffmpeg}")
    return program


async def _push_service(base: Foundation, clock: Clock, stack: AsyncExitStack) -> PushService | None:
    settings = base.settings
    if settings.push_webhook_url is None or settings.push_webhook_secret is None:
        return None
    http = await stack.enter_async_context(open_http(PUSHES_AT_ONCE))
    key = signing_key(settings.push_webhook_secret.get_secret_value())
    return PushWebhook(SignedWebhook(settings.push_webhook_url, key, http, clock), base.metrics.push)


async def _event_receiver(base: Foundation, clock: Clock, stack: AsyncExitStack) -> EventReceiver | None:
    settings = base.settings
    if settings.event_webhook_url is None or settings.event_webhook_secret is None:
        return None
    http = await stack.enter_async_context(open_http(EVENTS_AT_ONCE))
    key = signing_key(settings.event_webhook_secret.get_secret_value())
    return EventWebhook(SignedWebhook(settings.event_webhook_url, key, http, clock), base.metrics.event)


def _turn(settings: Settings, clock: Clock) -> TurnRestCredentials:
    urls = settings.turn_urls or (default_urls(settings.turn_domain) if settings.turn_domain else ())
    if settings.turn_enabled and not urls:
        raise ConfigurationError("NCHAT_TURN_ENABLED needs NCHAT_TURN_URLS or NCHAT_TURN_DOMAIN")
    return TurnRestCredentials(
        urls=urls if settings.turn_enabled else (),
        secret=settings.turn_secret.get_secret_value() if settings.turn_secret else "",
        ttl=settings.turn_credential_ttl,
        clock=clock,
    )
