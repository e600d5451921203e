"""A stream starts, under its lock: a place among those that run, its recording row, and the call that is shown told of it."""

from dataclasses import replace
from datetime import datetime

from domain.calls import events
from domain.calls.rows import lock_call
from domain.recordings.playing.addresses import hls_url
from domain.recordings.rows import lock_recording
from domain.recordings.starting import ask
from domain.streams.life_cycle import move_stream
from domain.streams.media import begin_media, write_recording
from domain.streams.places import require_place
from domain.streams.rows import Stream
from domain.world import Transaction, World


async def begin(tx: Transaction, world: World, stream: Stream, *, tier: object = None) -> Stream:
    """scheduled → starting; one that is further stays as it is. The stream as it stands then. Raises StreamLimit.

    In a call there is something to see already, where everybody in it has agreed to being recorded if that is asked; any other stream waits
    for the first track of its host.
    """
    if stream.status != "scheduled":
        return stream
    await require_place(tx, world, stream)
    now = world.clock.now()
    if not await move_stream(tx, stream, "starting", now=now, hls_url=hls_url(world, stream.id)):
        raise LookupError("a locked stream moved")
    bucket, named = world.stream_limits.bucket, tier if isinstance(tier, str) else None
    recording_id = await write_recording(tx, stream, bucket=bucket, tier=named, now=now)
    started = replace(stream, status="starting", status_since=now, recording_id=recording_id)
    if started.call_id is not None:
        await events.append(tx, started.call_id, "stream_started", started.host_id, {"streamId": str(started.id)})
        await _show(tx, started, now)
    return started


async def _show(tx: Transaction, stream: Stream, now: datetime) -> None:
    """The first part is wanted, or everybody is asked first, as for any recording of the call."""
    call = None if stream.call_id is None else await lock_call(tx, stream.call_id)
    recording = None if stream.recording_id is None else await lock_recording(tx, stream.recording_id)
    if call is not None and recording is not None and call.recording_consent == "ask":
        await ask(tx, call, recording, actor_id=stream.host_id, now=now)
    else:
        await begin_media(tx, stream, now=now)
