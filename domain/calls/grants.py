"""What a participant may do in the room: the grants of a token, and of a permission that LiveKit is told."""

from typing import Final

from domain.calls.rows import Call, Participant
from domain.ports import Grant, TrackSource

SCREEN: Final[tuple[TrackSource, ...]] = ("screen_share", "screen_share_audio")


def grant_for(call: Call, participant: Participant, *, screen: tuple[TrackSource, ...] = ()) -> Grant:
    """Every right of the participant, spelled out: a viewer only receives, an audio call has no camera.

    `screen` are the sources of a screen share that was asked for; who is sharing already keeps both across a reconnect.
    """
    if participant.role == "viewer":
        return Grant(sources=(), subscribe=True, data=False)
    own: tuple[TrackSource, ...] = ("microphone",) if call.type == "audio" else ("microphone", "camera")
    if participant.is_screen_sharing or participant.screen_share_asked_at is not None:
        screen = screen or SCREEN
    return Grant(sources=own + screen, subscribe=True, data=True)
