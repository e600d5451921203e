"""The query `recordingDownload`."""

from domain.recordings.playing import download
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from schema.table_types.scalars import timestamptz
from schema.types.camel_case import camel_type
from schema.types.recordings import RecordingDownloadInput


@camel_type
class RecordingDownloadPayload:
    """url begins a download until expiresAt, for whoever has it; one that has begun goes on."""

    url: str
    file_name: str
    expires_at: timestamptz


async def recording_download(world: World, session: Session, input: RecordingDownloadInput) -> RecordingDownloadPayload:
    """A link that saves the file under a name. For everyone who sees the recording; not-recording while there is no file."""
    found = await download.recording_download(world, session, input.recording_id, input.part_id)
    return RecordingDownloadPayload(url=found.url, file_name=found.file_name, expires_at=timestamptz(found.expires_at.isoformat()))


@camel_type
class Query:
    recording_download = action(recording_download)
