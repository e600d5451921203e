"""startRecording, giveRecordingConsent, pauseRecording, resumeRecording, stopRecording, deleteRecording."""

from domain.errors import InvalidInput
from domain.recordings.actions import consent, pause, start, stop
from domain.recordings.rows import RecordingLayout, RecordingType
from domain.recordings.starting import RESOLUTIONS, Manner
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.calls.payloads import ParticipantPayload, participant_payload
from resolvers.actions.input_words import one_of
from resolvers.actions.recordings.payloads import (
    RecordingPayload,
    StartRecordingPayload,
    StopRecordingPayload,
    recording_payload,
    start_recording_payload,
    stop_recording_payload,
)
from schema.types.camel_case import camel_type
from schema.types.recordings import (
    DeleteRecordingInput,
    GiveRecordingConsentInput,
    PauseRecordingInput,
    ResumeRecordingInput,
    StartRecordingInput,
    StopRecordingInput,
)


async def start_recording(world: World, session: Session, input: StartRecordingInput) -> StartRecordingPayload:
    """Records the call; everybody in it is told. For host and co-hosts."""
    return start_recording_payload(await start.start_recording(world, session, input.call_id, _manner(world, input)))


async def give_recording_consent(world: World, session: Session, input: GiveRecordingConsentInput) -> ParticipantPayload:
    """Agrees to being recorded in this call; then joinCall gives the token. For whoever may join."""
    return participant_payload(await consent.give_recording_consent(world, session, input.call_id))


async def pause_recording(world: World, session: Session, input: PauseRecordingInput) -> RecordingPayload:
    """Nothing is recorded from the event recording_paused on. For who started it, and hosts."""
    return recording_payload(await pause.pause_recording(world, session, input.recording_id))


async def resume_recording(world: World, session: Session, input: ResumeRecordingInput) -> RecordingPayload:
    """Goes on; recording_resumed tells when. For who started it, and hosts."""
    return recording_payload(await pause.resume_recording(world, session, input.recording_id))


async def stop_recording(world: World, session: Session, input: StopRecordingInput) -> StopRecordingPayload:
    """Ends it; recording_ready tells when it can be had. For who started it, and hosts."""
    return stop_recording_payload(await stop.stop_recording(world, session, input.recording_id))


async def delete_recording(world: World, session: Session, input: DeleteRecordingInput) -> RecordingPayload:
    """Removes it with everything that was stored; may be repeated. For who started it, the call's hosts, and admin."""
    return recording_payload(await stop.delete_recording(world, session, input.recording_id))


def _manner(world: World, input: StartRecordingInput) -> Manner:
    kind: RecordingType = one_of(RecordingType, "type", input.type, "composite")
    if input.audio_only:
        if input.type not in (None, "audio_only"):
            raise InvalidInput("audioOnly and type say different things.")
        kind = "audio_only"
    layout: RecordingLayout = one_of(RecordingLayout, "layout", input.layout, "grid")
    resolution = "1080p" if input.resolution is None else input.resolution
    if resolution not in RESOLUTIONS:
        raise InvalidInput(f"resolution is one of {', '.join(RESOLUTIONS)}.")
    return Manner(kind, layout, resolution, _template(world, layout, input.custom_layout))


def _template(world: World, layout: RecordingLayout, name: str | None) -> str | None:
    if layout != "custom":
        if name is not None:
            raise InvalidInput("customLayout belongs to the layout custom.")
        return None
    if name not in world.limits.recording_templates:
        raise InvalidInput("customLayout is none of the server's templates.")
    return name


@camel_type
class Mutation:
    start_recording = action(start_recording)
    give_recording_consent = action(give_recording_consent)
    pause_recording = action(pause_recording)
    resume_recording = action(resume_recording)
    stop_recording = action(stop_recording)
    delete_recording = action(delete_recording)
