"""Inputs of the call actions."""

import strawberry

from schema.table_types.scalars import jsonb, uuid
from schema.types.call_settings import AutoRecord, RecordingConsent
from schema.types.camel_case import camel_input
from schema.types.vocabulary import LeaveReason, ShareType, TrackKind, call_end_reason, call_type, connection_quality, participant_role


@camel_input
class InitiateCallInput:
    """Targets, a channel, or both. lobby: who joins without a ring waits. A repeated clientRequestId answers with the call it started.

    autoRecord and recordingConsent default to the channel's, and may not be laxer.
    """

    type: call_type
    target_user_ids: list[uuid] | None = None
    channel_id: uuid | None = None
    metadata: jsonb | None = None
    e2ee: bool | None = None
    lobby: bool | None = None
    ring_timeout_seconds: int | None = None
    client_request_id: uuid | None = None
    auto_record: AutoRecord | None = None
    recording_consent: RecordingConsent | None = None


@camel_input
class StartScheduledCallInput:
    """Targets, autoRecord and recordingConsent as in initiateCall; no targets for a call in a channel that rings nobody."""

    call_id: uuid
    target_user_ids: list[uuid] | None = None
    auto_record: AutoRecord | None = None
    recording_consent: RecordingConsent | None = None


@camel_input
class InviteToCallInput:
    call_id: uuid
    user_ids: list[uuid]


@camel_input
class AcceptCallInput:
    call_id: uuid


@camel_input
class DeclineCallInput:
    """reason is declined (the default) or busy."""

    call_id: uuid
    reason: call_end_reason | None = None


@camel_input
class CancelCallInput:
    call_id: uuid


@camel_input
class JoinCallInput:
    call_id: uuid


@camel_input
class CallAttendanceInput:
    call_id: uuid


@camel_input
class RefreshCallTokenInput:
    call_id: uuid


@camel_input
class LeaveCallInput:
    """reason defaults to user_left."""

    call_id: uuid
    reason: LeaveReason | None = None


@camel_input
class EndCallInput:
    """reason is host_ended (the default) or completed."""

    call_id: uuid
    reason: call_end_reason | None = None


@camel_input
class SetMutedInput:
    """What the caller's own track does now."""

    call_id: uuid
    track_type: TrackKind
    muted: bool


@camel_input
class MuteParticipantInput:
    call_id: uuid
    participant_id: uuid
    track_type: TrackKind


@camel_input
class MuteAllInput:
    """except: ids of participants who keep their microphone, beside the caller."""

    call_id: uuid
    spared: list[uuid] | None = strawberry.field(name="except", default=None)


@camel_input
class AskToUnmuteInput:
    call_id: uuid
    participant_id: uuid


@camel_input
class SetParticipantRoleInput:
    """role host hands the call on."""

    call_id: uuid
    participant_id: uuid
    role: participant_role


@camel_input
class AdmitToCallInput:
    call_id: uuid
    participant_id: uuid


@camel_input
class DenyFromLobbyInput:
    call_id: uuid
    participant_id: uuid


@camel_input
class RaiseHandInput:
    call_id: uuid


@camel_input
class LowerHandInput:
    call_id: uuid


@camel_input
class ReportConnectionQualityInput:
    """quality is excellent, good, poor, lost or unknown. Told of stats: packetLoss, jitter, latency, bitrate.upload and .download."""

    call_id: uuid
    quality: connection_quality
    stats: jsonb | None = None


@camel_input
class KickParticipantInput:
    """reason has at most 100 characters."""

    call_id: uuid
    participant_id: uuid
    reason: str | None = None


@camel_input
class ReadmitParticipantInput:
    call_id: uuid
    participant_id: uuid


@camel_input
class StartScreenShareInput:
    """shareType defaults to screen, withAudio to false."""

    call_id: uuid
    share_type: ShareType | None = None
    with_audio: bool | None = None


@camel_input
class StopScreenShareInput:
    call_id: uuid
