"""LiveKit's protobuf messages as the domain's values and back."""

from collections.abc import Mapping
from typing import Final, cast

from google.protobuf.message import Message
from livekit import api
from livekit.protocol.models import TrackSource as SourceNumber

from domain.ports import Grant, LiveRoom, ParticipantState, Room, RoomParticipant, Track, TrackSource, Unknown, is_viewer

SOURCES: Final[Mapping[TrackSource, SourceNumber]] = {
    "camera": SourceNumber.CAMERA,
    "microphone": SourceNumber.MICROPHONE,
    "screen_share": SourceNumber.SCREEN_SHARE,
    "screen_share_audio": SourceNumber.SCREEN_SHARE_AUDIO,
}
SOURCE_NAMES: Final[Mapping[int, TrackSource]] = {number: name for name, number in SOURCES.items()}
# A number that is newer than our copy of the protocol; LiveKit itself calls a track without a source so.
UNKNOWN: Final = "unknown"
# Who is of this kind counts for nothing in LiveKit: neither for `max_participants` nor for `num_participants`, and keeps no room open.
AUDIENCE: Final = "agent"
AUDIENCE_KIND: Final = api.ParticipantInfo.AGENT


def enum_name(message: Message, field: str) -> str:
    """An enum field's value by LiveKit's name in lowercase, `unknown` for a number that our copy of the protocol has no name for."""
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = enum.values_by_number.get(getattr(message, field)) if enum else None
    return value.name.lower() if value else UNKNOWN


def room(message: api.Room) -> Room:
    """Name and sid; a room message also holds `turn_password`, which stays here."""
    return Room(name=message.name, sid=message.sid)


def live_room(message: api.Room) -> LiveRoom:
    """The same with LiveKit's counts."""
    return LiveRoom(message.name, message.sid, message.num_participants, message.num_publishers)


def is_listed(message: api.ParticipantInfo, *, ingresses: bool) -> bool:
    """Whether this is a STANDARD participant, a viewer, or an ingress where those are asked for: no egress, SIP or agent of LiveKit's."""
    if message.kind == AUDIENCE_KIND:
        return is_viewer(message.identity)
    return message.kind == api.ParticipantInfo.STANDARD or (ingresses and message.kind == api.ParticipantInfo.INGRESS)


def participant(message: api.ParticipantInfo) -> RoomParticipant:
    """A participant as the domain sees one."""
    return RoomParticipant(
        identity=message.identity,
        sid=message.sid,
        state=cast(ParticipantState | Unknown, enum_name(message, "state")),
        tracks=tuple(map(track, message.tracks)),
        sources=sources(message.permission),
    )


def track(message: api.TrackInfo) -> Track:
    """A published track; one of data has the source `unknown`."""
    return Track(sid=message.sid, source=cast(TrackSource | Unknown, enum_name(message, "source")), muted=message.muted)


def sources(permission: api.ParticipantPermission) -> frozenset[TrackSource]:
    """What somebody may publish; LiveKit reads an empty list as every source."""
    if not permission.can_publish:
        return frozenset()
    named = permission.can_publish_sources or SOURCE_NAMES
    return frozenset(SOURCE_NAMES[number] for number in named if number in SOURCE_NAMES)


def permission(grant: Grant) -> api.ParticipantPermission:
    """All rights of a participant: LiveKit replaces the whole set, and reads an empty list of sources as every source."""
    return api.ParticipantPermission(
        can_publish=bool(grant.sources),
        can_publish_sources=[SOURCES[name] for name in grant.sources],
        can_subscribe=grant.subscribe,
        can_publish_data=grant.data,
        hidden=grant.audience,
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
        hidden=grant.audience or None,
    )
