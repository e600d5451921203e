"""Inputs of clips."""

import strawberry

from schema.table_types.scalars import uuid
from schema.types.camel_case import camel_input


@camel_input
class ClipStreamInput:
    """streamId or recordingId. from and to are seconds of the playlist's time line, at most 120 apart: the clip begins and ends with the
    segments that they lie in. Without a title it has its source's.
    """

    begins: float = strawberry.field(name="from")
    ends: float = strawberry.field(name="to")
    stream_id: uuid | None = None
    recording_id: uuid | None = None
    title: str | None = None
