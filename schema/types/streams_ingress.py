"""Inputs about a stream's encoder."""

from enum import Enum

import strawberry

from schema.table_types.scalars import uuid
from schema.types.camel_case import camel_input


@strawberry.enum(description="What a host sends from: a browser (none), or an encoder that speaks RTMP or WHIP.")
class IngressKind(Enum):
    none = "none"
    rtmp = "rtmp"
    whip = "whip"


@camel_input
class ResetStreamIngressInput:
    stream_id: uuid
