"""`livekit.RoomService`: each method with its request, the grant it needs, and its answer or error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message
from livekit import api
from livekit.api import VideoGrants
from livekit.protocol.models import DisconnectReason

from devstack.livekit_simulator.auth import may_administer, may_create, may_list
from devstack.livekit_simulator.participants import SimulatedParticipant
from devstack.livekit_simulator.rooms import SimulatedRoom, SimulatedRooms
from devstack.livekit_simulator.twirp import TwirpError, behind_rpc, unanswered

NAME_LIMIT: Final = 256
NONCE_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Method:
    request: type[Message]
    answer: Callable[[SimulatedRooms, VideoGrants | None, Any], Message]


def create_room(rooms: SimulatedRooms, grants: VideoGrants | None, request: api.CreateRoomRequest) -> api.Room:
    may_create(grants)
    if len(request.name) > NAME_LIMIT:
        raise behind_rpc("invalid_argument", f"room name length exceeds limits: max length {NAME_LIMIT}")
    return rooms.open(request).message


def list_rooms(rooms: SimulatedRooms, grants: VideoGrants | None, request: api.ListRoomsRequest) -> api.ListRoomsResponse:
    may_list(grants)
    return api.ListRoomsResponse(rooms=[room.message for name, room in rooms.live.items() if not request.names or name in request.names])


def delete_room(rooms: SimulatedRooms, grants: VideoGrants | None, request: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
    may_create(grants)
    existing(rooms, request.room)
    rooms.close(request.room)
    return api.DeleteRoomResponse()


def update_room_metadata(rooms: SimulatedRooms, grants: VideoGrants | None, request: api.UpdateRoomMetadataRequest) -> api.Room:
    may_administer(grants, request.room)
    room = existing(rooms, request.room)
    room.message.metadata = request.metadata
    return room.message


def list_participants(
    rooms: SimulatedRooms, grants: VideoGrants | None, request: api.ListParticipantsRequest
) -> api.ListParticipantsResponse:
    may_administer(grants, request.room)
    room = rooms.live.get(request.room)
    return api.ListParticipantsResponse(participants=[person.message for person in room.participants.values()] if room else [])


def get_participant(rooms: SimulatedRooms, grants: VideoGrants | None, request: api.RoomParticipantIdentity) -> api.ParticipantInfo:
    may_administer(grants, request.room)
    return present(rooms, request.room, request.identity).message


def remove_participant(
    rooms: SimulatedRooms, grants: VideoGrants | None, request: api.RoomParticipantIdentity
) -> api.RemoveParticipantResponse:
    may_administer(grants, request.room)
    participant = present(rooms, request.room, request.identity)
    participant.room.remove(participant, DisconnectReason.PARTICIPANT_REMOVED)
    return api.RemoveParticipantResponse()


def mute_published_track(rooms: SimulatedRooms, grants: VideoGrants | None, request: api.MuteRoomTrackRequest) -> api.MuteRoomTrackResponse:
    may_administer(grants, request.room)
    participant = find(rooms, request.room, request.identity)
    if participant is None:
        raise unanswered()
    if not request.muted and not rooms.defaults.enable_remote_unmute:
        raise behind_rpc("failed_precondition", "remote unmute not enabled")
    participant.set_muted(request.track_sid, request.muted)
    return api.MuteRoomTrackResponse(track=participant.track(request.track_sid))


def update_participant(rooms: SimulatedRooms, grants: VideoGrants | None, request: api.UpdateParticipantRequest) -> api.ParticipantInfo:
    may_administer(grants, request.room)
    participant = present(rooms, request.room, request.identity)
    message = participant.message
    message.metadata = request.metadata or message.metadata
    message.name = request.name or message.name
    for key, value in request.attributes.items():
        message.attributes[key] = value
        if not value:
            del message.attributes[key]
    if request.HasField("permission"):
        participant.set_permission(request.permission)
    return message


def update_subscriptions(
    rooms: SimulatedRooms, grants: VideoGrants | None, request: api.UpdateSubscriptionsRequest
) -> api.UpdateSubscriptionsResponse:
    may_administer(grants, request.room)
    if find(rooms, request.room, request.identity) is None:
        raise unanswered()
    return api.UpdateSubscriptionsResponse()


def send_data(rooms: SimulatedRooms, grants: VideoGrants | None, request: api.SendDataRequest) -> api.SendDataResponse:
    may_administer(grants, request.room)
    if len(request.nonce) not in (0, NONCE_LENGTH):
        raise TwirpError("invalid_argument", f"nonce should be 16-bytes or not present, got: {len(request.nonce)} bytes")
    if request.room not in rooms.live:
        raise unanswered()
    return api.SendDataResponse()


def existing(rooms: SimulatedRooms, name: str) -> SimulatedRoom:
    """The live room of that name. Raises TwirpError `not_found`."""
    if name not in rooms.live:
        raise behind_rpc("not_found", "requested room does not exist")
    return rooms.live[name]


def find(rooms: SimulatedRooms, room: str, identity: str) -> SimulatedParticipant | None:
    """Somebody in a live room."""
    return rooms.live[room].participants.get(identity) if room in rooms.live else None


def present(rooms: SimulatedRooms, room: str, identity: str) -> SimulatedParticipant:
    """Somebody in a live room. Raises TwirpError `not_found`."""
    participant = find(rooms, room, identity)
    if participant is None:
        raise behind_rpc("not_found", "participant does not exist")
    return participant


METHODS: Final[Mapping[str, Method]] = {
    "CreateRoom": Method(api.CreateRoomRequest, create_room),
    "ListRooms": Method(api.ListRoomsRequest, list_rooms),
    "DeleteRoom": Method(api.DeleteRoomRequest, delete_room),
    "UpdateRoomMetadata": Method(api.UpdateRoomMetadataRequest, update_room_metadata),
    "ListParticipants": Method(api.ListParticipantsRequest, list_participants),
    "GetParticipant": Method(api.RoomParticipantIdentity, get_participant),
    "RemoveParticipant": Method(api.RoomParticipantIdentity, remove_participant),
    "MutePublishedTrack": Method(api.MuteRoomTrackRequest, mute_published_track),
    "UpdateParticipant": Method(api.UpdateParticipantRequest, update_participant),
    "UpdateSubscriptions": Method(api.UpdateSubscriptionsRequest, update_subscriptions),
    "SendData": Method(api.SendDataRequest, send_data),
}
