"""A recording's file, or a part's, to be saved under a name that a person understands."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.errors import MediaUnavailable, NotFound, NotRecording
from domain.recordings.playing.visible import Visible, VisiblePart, VisibleRecording
from domain.world import World
from permissions.session import Session

NO_FILE: Final = "There is no file of it, or not yet."
UNTITLED: Final = "Recording"
# In UTF-8: file systems give a name 255 bytes.
LONGEST_TITLE: Final = 180
# What file systems refuse, or read in their own way.
_UNFIT: Final = re.compile(r'[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\\/:*?"<>|]+')


@dataclass(frozen=True, slots=True)
class Download:
    """`url` is the store's own, presigned, and works until `expires_at` for whoever has it."""

    url: str
    file_name: str
    expires_at: datetime


async def recording_download(world: World, session: Session, recording_id: UUID, part_id: UUID | None = None) -> Download:
    """A link that saves the file. NotFound for whoever does not see the recording, NotRecording where there is no file (yet)."""
    if world.store is None:
        raise MediaUnavailable("Recording is switched off.")
    visible = Visible(world)
    recording = await visible.recording(session, recording_id)
    part = None if part_id is None else await visible.part(session, part_id)
    if recording is None or (part_id is not None and (part is None or part.recording_id != recording_id)):
        raise NotFound
    key = recording.file_path if part is None else part.file_path
    if key is None:
        raise NotRecording(NO_FILE)
    name, seconds = _file_name(recording, part, key), world.limits.media_link_ttl
    address = world.store.of(recording.bucket).link(key, seconds=seconds, file_name=name)
    return Download(address, name, world.clock.now() + timedelta(seconds=seconds))


def _file_name(recording: VisibleRecording, part: VisiblePart | None, key: str) -> str:
    title = " ".join(_UNFIT.sub(" ", recording.title or "").split()).encode()[:LONGEST_TITLE].decode(errors="ignore").strip(" .")
    began = "" if recording.started_at is None else f" {recording.started_at:%Y-%m-%d %H.%M}"
    number = "" if part is None else f" part {part.index + 1}"
    return f"{title or UNTITLED}{began}{number}.{key.rpartition('.')[2]}"
