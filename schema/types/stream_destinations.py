"""Inputs of the actions on a stream's destinations."""

from schema.table_types.scalars import uuid
from schema.types.camel_case import camel_input
from schema.types.vocabulary import destination_platform


@camel_input
class AddStreamDestinationInput:
    """rtmpUrl is rtmp://host/app or rtmps://…, without the stream key. One destination of each platform."""

    stream_id: uuid
    platform: destination_platform
    rtmp_url: str
    stream_key: str


@camel_input
class UpdateStreamDestinationInput:
    """What is left out stays as it is; another rtmpUrl comes with its streamKey. One whose status is error is tried again, also where
    nothing is different."""

    destination_id: uuid
    rtmp_url: str | None = None
    stream_key: str | None = None
    enabled: bool | None = None


@camel_input
class RemoveStreamDestinationInput:
    destination_id: uuid


@camel_input
class RtmpOutputInput:
    """A destination that a stream starts with, as in addStreamDestination; it takes the place of the platform's earlier one."""

    platform: destination_platform
    rtmp_url: str
    stream_key: str
