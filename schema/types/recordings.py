"""Inputs of the recording actions."""

import strawberry

from schema.table_types.scalars import uuid
from schema.types.camel_case import camel_input
from schema.types.vocabulary import recording_layout, recording_type


@camel_input
class StartRecordingInput:
    """layout defaults to grid, resolution (720p, 1080p or 4k) to 1080p, type to composite; audioOnly records sound alone.

    customLayout names one of the server's own templates, for the layout custom.
    """

    call_id: uuid
    layout: recording_layout | None = None
    resolution: str | None = None
    audio_only: bool | None = None
    type: recording_type | None = None
    custom_layout: str | None = None


@camel_input
class GiveRecordingConsentInput:
    call_id: uuid


@camel_input
class PauseRecordingInput:
    recording_id: uuid


@camel_input
class ResumeRecordingInput:
    recording_id: uuid


@camel_input
class StopRecordingInput:
    recording_id: uuid


@camel_input
class DeleteRecordingInput:
    recording_id: uuid


@camel_input
class RecordingDownloadInput:
    """partId asks for one part's file, of individual tracks for instance; without it for the file of the whole."""

    recording_id: uuid
    part_id: uuid | None = None


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
