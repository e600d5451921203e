"""What `callEvents` tells, by kind: the fields of each payload with their GraphQL types.

Whatever stands here is read by everyone who may see the call: no token, key or path. docs/events.md says when each comes.
"""

from collections.abc import Mapping
from typing import Final

# Whom it is about.
_ABOUT: Final = {"participantId": "uuid!"}
_OF_RECORDING: Final = {"recordingId": "uuid!"}

CALL_EVENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "call_initiate": {},
    "call_incoming": _ABOUT,
    "call_accept": _ABOUT,
    "call_decline": {"reason": "String!", **_ABOUT},
    "call_cancelled": {},
    "call_end": {"reason": "call_end_reason!"},
    "call_state_changed": {"from": "call_status!", "to": "call_status!", "reason": "call_end_reason"},
    "call_participant_joined": _ABOUT,
    "call_participant_disconnected": {"reason": "String!", **_ABOUT},
    "call_participant_left": {"reason": "String!", **_ABOUT},
    "call_mute_changed": {"trackType": "TrackKind!", "muted": "Boolean!", **_ABOUT},
    "call_video_changed": {"enabled": "Boolean!", **_ABOUT},
    "call_screen_share_started": _ABOUT,
    "call_screen_share_stopped": _ABOUT,
    "connection_quality_changed": {"quality": "connection_quality", "stats": "jsonb!", **_ABOUT},
    "hand_raised": _ABOUT,
    "hand_lowered": _ABOUT,
    "unmute_asked": _ABOUT,
    "lobby_waiting": _ABOUT,
    "lobby_admitted": _ABOUT,
    "lobby_denied": _ABOUT,
    "role_changed": {"from": "participant_role!", "to": "participant_role!", **_ABOUT},
    "kicked": {"reason": "String", **_ABOUT},
    "readmitted": _ABOUT,
    "recording_started": _OF_RECORDING,
    "recording_consent_asked": {**_OF_RECORDING, "until": "timestamptz!"},
    "recording_consented": _ABOUT,
    "recording_paused": _OF_RECORDING,
    "recording_resumed": _OF_RECORDING,
    "recording_stopped": {**_OF_RECORDING, "reason": "String!"},
    "recording_ready": _OF_RECORDING,
    "recording_failed": {**_OF_RECORDING, "reason": "String!"},
    "stream_started": {"streamId": "uuid!"},
    "stream_ended": {"streamId": "uuid!", "reason": "String!"},
}

KINDS_TOLD: Final = f"What happened: {', '.join(CALL_EVENTS)}. New kinds come with new features: ignore what you don't know."
PAYLOADS_TOLD: Final = "What belongs to the kind; an object without fields where nothing does.\n\n" + "\n".join(
    f"- {kind}: {', '.join(f'{name}: {type_}' for name, type_ in fields.items())}" for kind, fields in CALL_EVENTS.items() if fields
)
