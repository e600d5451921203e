"""LiveKit's protobuf messages as the domain's values and back."""

from collections.abc import Mapping
from typing import Final, Literal

from livekit import api
from livekit.protocol.models import TrackSource as SourceNumber

from domain.ports import Grant, ParticipantState, Room, RoomParticipant, Source, Track

SOURCES: Final[Mapping[Source, SourceNumber]] = {
    "camera": SourceNumber.CAMERA,
    "microphone": SourceNumber.MICROPHONE,
    "screen_share": SourceNumber.SCREEN_SHARE,
    "screen_share_audio": SourceNumber.SCREEN_SHARE_AUDIO,
}
SOURCE_NAMES: Final[Mapping[int, Source]] = {number: name for name, number in SOURCES.items()}
STATES: Final[Mapping[int, ParticipantState]] = {
    api.ParticipantInfo.JOINING: "joining",
    api.ParticipantInfo.JOINED: "joined",
    api.ParticipantInfo.ACTIVE: "active",
    api.ParticipantInfo.DISCONNECTED: "disconnected",
}


def room(message: api.Room) -> Room:
    """Name and sid; a room message also holds `turn_password`, which stays here."""
    return Room(name=message.name, sid=message.sid)


def is_person(message: api.ParticipantInfo) -> bool:
    """Whether this is a STANDARD participant, not an egress, ingress, SIP or agent one."""
    return message.kind == api.ParticipantInfo.STANDARD


def participant(message: api.ParticipantInfo) -> RoomParticipant:
    """A participant as the domain sees one."""
    tracks = tuple(Track(sid=track.sid, source=source(track.source), muted=track.muted) for track in message.tracks)
    return RoomParticipant(
        identity=message.identity, sid=message.sid, state=STATES[message.state], tracks=tracks, sources=sources(message.permission)
    )


def sources(permission: api.ParticipantPermission) -> frozenset[Source]:
    """What somebody may publish; LiveKit reads an empty list as every source."""
    if not permission.can_publish:
        return frozenset()
    named = permission.can_publish_sources or SOURCE_NAMES
    return frozenset(SOURCE_NAMES[number] for number in named if number in SOURCE_NAMES)


def source(number: int) -> Source | Literal["unknown"]:
    """The name of a track source; data tracks and newer sources are `unknown`."""
    return SOURCE_NAMES.get(number, "unknown")


def permission(grant: Grant) -> api.ParticipantPermission:
    """All rights of a participant: LiveKit replaces the whole set, and reads an empty list of sources as every source."""
    return api.ParticipantPermission(
        can_publish=bool(grant.sources),
        can_publish_sources=[SOURCES[name] for name in grant.sources],
        can_subscribe=grant.subscribe,
        can_publish_data=grant.data,
    )


def video_grants(grant: Grant, room_name: str) -> api.VideoGrants:
    """The same rights as a token's grants, to join this room only; the SDK's own defaults allow everything."""
    return api.VideoGrants(
        room_join=True,
        room=room_name,
        can_publish=bool(grant.sources),
        can_publish_sources=list(grant.sources),
        can_subscribe=grant.subscribe,
        can_publish_data=grant.data,
        can_update_own_metadata=False,
    )
