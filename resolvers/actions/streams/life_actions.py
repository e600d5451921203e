"""createStream, startStream, stopStream, cancelStream, refreshStreamToken, resetStreamIngress."""

from dataclasses import replace

from domain import ports
from domain.errors import InvalidInput
from domain.streams.actions import create, start, stop, token
from domain.streams.actions.results import StartedStream
from domain.streams.ingress import reset
from domain.streams.planning import StreamPlan
from domain.streams.rows import Visibility
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.input_words import moment, one_of, word
from resolvers.actions.streams.destination_actions import outputs_wanted
from resolvers.actions.streams.payloads import (
    RefreshStreamTokenPayload,
    ResetStreamIngressPayload,
    StartStreamPayload,
    StopStreamPayload,
    StreamPayload,
    refresh_stream_token_payload,
    reset_stream_ingress_payload,
    start_stream_payload,
    stop_stream_payload,
    stream_payload,
)
from schema.types.camel_case import camel_type
from schema.types.streams import (
    CancelStreamInput,
    CreateStreamInput,
    IngressKind,
    RefreshStreamTokenInput,
    ResetStreamIngressInput,
    StartStreamInput,
    StopStreamInput,
)


async def create_stream(world: World, session: Session, input: CreateStreamInput) -> StreamPayload:
    """Plans a stream, in a channel of the caller's. Ten minutes before scheduledAt its people are reminded of it."""
    plan = replace(_plan(input), scheduled_at=moment("scheduledAt", input.scheduled_at))
    return stream_payload(await create.create_stream(world, session, plan))


async def start_stream(world: World, session: Session, input: StartStreamInput) -> StartStreamPayload:
    """Starts a stream; it is live when its media can be watched, which its status tells. For its host."""
    return start_stream_payload(await _start(world, session, input))


async def stop_stream(world: World, session: Session, input: StopStreamInput) -> StopStreamPayload:
    """Ends a stream; it has ended when all of it can be watched. For its host, admin, and the hosts of the call that it shows."""
    return stop_stream_payload(await stop.stop_stream(world, session, input.stream_id))


async def cancel_stream(world: World, session: Session, input: CancelStreamInput) -> StreamPayload:
    """Calls off a stream that was not live yet. For its host, admin, and the hosts of the call that it shows."""
    return stream_payload(await stop.cancel_stream(world, session, input.stream_id))


async def refresh_stream_token(world: World, session: Session, input: RefreshStreamTokenInput) -> RefreshStreamTokenPayload:
    """A new token for who reloaded the page: the host of a stream that is starting or live, and whoever watches one by WebRTC."""
    return refresh_stream_token_payload(await token.refresh_stream_token(world, session, input.stream_id))


async def reset_stream_ingress(world: World, session: Session, input: ResetStreamIngressInput) -> ResetStreamIngressPayload:
    """A new key for the encoder; the old one stops working, and whoever sends with it is cut off. For the host."""
    return reset_stream_ingress_payload(await reset.reset_stream_ingress(world, session, input.stream_id))


async def _start(world: World, session: Session, input: StartStreamInput) -> StartedStream:
    plan, ingress, outputs = _plan(input), _ingress(input.ingress), outputs_wanted(input.rtmp_outputs)
    if input.stream_id is not None:
        if input.call_id is not None or plan != StreamPlan():
            raise InvalidInput("streamId stands alone: what the stream is was said before.")
        return await start.start_stream(world, session, input.stream_id, ingress, outputs)
    if input.call_id is not None:
        return await start.start_broadcast(world, session, input.call_id, plan, ingress, outputs)
    return await start.start_new_stream(world, session, plan, ingress, outputs)


def _ingress(kind: IngressKind | None) -> ports.IngressKind | None:
    named = word(IngressKind, kind or IngressKind.none)
    return None if named == "none" else named


def _plan(input: CreateStreamInput | StartStreamInput) -> StreamPlan:
    return StreamPlan(
        channel_id=input.channel_id,
        title=input.title,
        description=input.description,
        visibility=one_of(Visibility, "visibility", input.visibility, "channel_members"),
        chat=input.enable_chat is not False,
        reactions=input.enable_reactions is not False,
        record=input.record_stream is True,
        client_request_id=input.client_request_id,
    )


@camel_type
class Mutation:
    create_stream = action(create_stream)
    start_stream = action(start_stream)
    stop_stream = action(stop_stream)
    cancel_stream = action(cancel_stream)
    refresh_stream_token = action(refresh_stream_token)
    reset_stream_ingress = action(reset_stream_ingress)
