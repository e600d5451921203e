"""The action clipStream."""

from domain.streams.clips import clip
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import uuid
from schema.types.camel_case import camel_type
from schema.types.recordings import ClipStreamInput


@camel_type
class ClipStreamPayload:
    """The clip is a recording: `processing` with clip_progress, then `ready`."""

    clip_id: uuid
    recording = table_row("nchat_call_recordings", key="clip_id", description="The clip, as the caller may see it.")


async def clip_stream(world: World, session: Session, input: ClipStreamInput) -> ClipStreamPayload:
    """Up to two minutes as a recording of its own. For the stream's host and moderators, and whoever owns the recording."""
    wanted = clip.ClipWanted(input.stream_id, input.recording_id, input.begins, input.ends, input.title)
    return ClipStreamPayload(clip_id=uuid((await clip.clip_stream(world, session, wanted)).clip_id))


@camel_type
class Mutation:
    clip_stream = action(clip_stream)
