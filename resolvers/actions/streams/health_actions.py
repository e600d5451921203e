"""The query and the subscription `streamHealth`, and reportStreamHealth."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, cast

import strawberry
from strawberry.types import Info

from domain.streams.health import asking
from domain.streams.health.reports import ClientReport
from domain.streams.health.reports import report_stream_health as keep_report
from domain.streams.health.verdict import Health
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.feed import feed, patient
from resolvers.actions.input_words import word
from resolvers.hand_written.context import Context
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import timestamptz, uuid
from schema.types.camel_case import camel_type
from schema.types.stream_health import EncoderLimit, ReportStreamHealthInput, StreamHealth, StreamHealthInput, StreamHealthState


@camel_type
class ReportStreamHealthPayload:
    stream_id: uuid
    stream = table_row("nchat_streams", key="stream_id", description="The stream, as the caller may see it.")


async def stream_health(world: World, session: Session, input: StreamHealthInput) -> StreamHealth:
    """How the stream is doing now: the newest of what its encoder, its host's client, its room and its segments say. For the host."""
    return _shown(input.stream_id, await asking.stream_health(world, session, input.stream_id))


async def report_stream_health(world: World, session: Session, input: ReportStreamHealthInput) -> ReportStreamHealthPayload:
    """Tells what the host's client measures of what it sends; every 5 seconds are enough. For the host."""
    stats = input.stats
    report = ClientReport(
        video_bitrate=stats.video_bitrate,
        audio_bitrate=stats.audio_bitrate,
        width=stats.width,
        height=stats.height,
        fps=stats.fps,
        target_fps=stats.target_fps,
        packet_loss=stats.packet_loss,
        limited_by=None if stats.limited_by is None else word(EncoderLimit, stats.limited_by),
    )
    await keep_report(world, session, input.stream_id, report)
    return ReportStreamHealthPayload(stream_id=input.stream_id)


async def follow_stream_health(
    info: Info[Context, None], stream_id: Annotated[uuid, strawberry.argument(name="streamId")]
) -> AsyncGenerator[StreamHealth, None]:
    """How the stream is doing: first now, then each time that it is different. For the host."""
    world, session = info.context.world, info.context.session
    look = patient(asking.stream_health)
    async with aclosing(asking.follow_health(world, stream_id, lambda: look(world, session, stream_id))) as states:
        async for state in states:
            yield _shown(stream_id, state)


def _shown(stream_id: uuid, health: Health) -> StreamHealth:
    return StreamHealth(
        stream_id=stream_id,
        # The view of a role reads an enum as the bare word.
        state=cast(StreamHealthState, health.state),
        reason=health.reason,
        video_bitrate=health.video_bitrate,
        audio_bitrate=health.audio_bitrate,
        width=health.width,
        height=health.height,
        fps=health.fps,
        since=None if health.since is None else timestamptz(health.since.isoformat()),
    )


@camel_type
class Query:
    stream_health = action(stream_health)


@camel_type
class Mutation:
    report_stream_health = action(report_stream_health)


@camel_type
class Subscription:
    stream_health = feed(follow_stream_health)
