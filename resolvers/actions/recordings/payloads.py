"""What recording actions answer."""

from domain.recordings.actions.results import RecordingResult, StartedResult, StoppedResult
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import bigint, timestamptz, uuid
from schema.types.camel_case import camel_type


@camel_type
class RecordingPayload:
    """callId and call are null of a stream's recording."""

    call_id: uuid | None
    call = table_row("nchat_calls", key="call_id", description="The call, as the caller may see it.")
    recording_id: uuid
    recording = table_row("nchat_call_recordings", key="recording_id", description="The recording, as the caller may see it.")


def recording_payload(result: RecordingResult) -> RecordingPayload:
    return RecordingPayload(call_id=_call_id(result), recording_id=uuid(result.recording_id))


@camel_type
class StopRecordingPayload(RecordingPayload):
    """What is known already, seconds and bytes; null is what comes with the event recording_ready."""

    duration: int | None
    file_size: bigint | None
    url: str | None
    thumbnail_url: str | None


def stop_recording_payload(result: StoppedResult) -> StopRecordingPayload:
    return StopRecordingPayload(
        call_id=_call_id(result),
        recording_id=uuid(result.recording_id),
        duration=result.duration,
        file_size=None if result.file_size is None else bigint(result.file_size),
        url=result.url,
        thumbnail_url=result.thumbnail_url,
    )


@camel_type
class StartRecordingPayload(RecordingPayload):
    """startedAt is when it was asked for; the first frame's time is the recording's media_started_at, once it is known."""

    started_at: timestamptz


def start_recording_payload(result: StartedResult) -> StartRecordingPayload:
    return StartRecordingPayload(
        call_id=_call_id(result), recording_id=uuid(result.recording_id), started_at=timestamptz(result.started_at.isoformat())
    )


def _call_id(result: RecordingResult) -> uuid | None:
    return None if result.call_id is None else uuid(result.call_id)
