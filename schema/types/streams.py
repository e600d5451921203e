"""Inputs of the actions that make a stream begin and end."""

from enum import Enum

import strawberry

from schema.table_types.scalars import timestamptz, uuid
from schema.types.camel_case import camel_input
from schema.types.stream_destinations import RtmpOutputInput
from schema.types.vocabulary import stream_visibility


@strawberry.enum(description="What a host sends from: a browser (none), or an encoder that speaks RTMP or WHIP.")
class IngressKind(Enum):
    none = "none"
    rtmp = "rtmp"
    whip = "whip"


@camel_input
class CreateStreamInput:
    """visibility defaults to channel_members, enableChat and enableReactions to true, recordStream to false.

    A repeated clientRequestId answers with the stream it made.
    """

    channel_id: uuid
    title: str
    description: str | None = None
    visibility: stream_visibility | None = None
    scheduled_at: timestamptz | None = None
    enable_chat: bool | None = None
    enable_reactions: bool | None = None
    record_stream: bool | None = None
    client_request_id: uuid | None = None


@camel_input
class StartStreamInput:
    """streamId starts a planned stream. Without it one is made, as in createStream, of channelId and title; with callId it shows a call of
    one's own, whose channel and its name are then the defaults. ingress defaults to none: the host sends from a browser. rtmpOutputs are
    where else it is sent, beside the destinations that it has."""

    stream_id: uuid | None = None
    call_id: uuid | None = None
    ingress: IngressKind | None = None
    rtmp_outputs: list[RtmpOutputInput] | None = None
    channel_id: uuid | None = None
    title: str | None = None
    description: str | None = None
    visibility: stream_visibility | None = None
    enable_chat: bool | None = None
    enable_reactions: bool | None = None
    record_stream: bool | None = None
    client_request_id: uuid | None = None


@camel_input
class StopStreamInput:
    stream_id: uuid


@camel_input
class CancelStreamInput:
    stream_id: uuid


@camel_input
class RefreshStreamTokenInput:
    stream_id: uuid


@camel_input
class ResetStreamIngressInput:
    stream_id: uuid
