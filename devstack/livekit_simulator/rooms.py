"""Simulated rooms: opened, filled, emptied and closed as a livekit-server does it, each step told by webhook."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from livekit import api
from livekit.api.access_token import Claims
from livekit.protocol.models import DisconnectReason

from devstack.livekit_simulator import ids
from devstack.livekit_simulator.clock import SimulatorClock
from devstack.livekit_simulator.participants import SimulatedParticipant
from devstack.livekit_simulator.webhooks import WebhookSender

# Seconds: how long a lost connection stays in the room, a joiner may take to become active, and counts may lag.
LOST_AFTER: Final = 20.0
JOIN_WITHIN: Final = 60.0
COUNTS_EVERY: Final = 5.0
CODECS: Final = (
    "audio/PCMU", "audio/PCMA", "audio/opus", "audio/red",
    "video/VP8", "video/H264", "video/VP9", "video/AV1", "video/H265", "video/rtx",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RoomDefaults:
    """The server's `room` configuration; seconds. A zero in a request means these."""

    auto_create: bool = False
    empty_timeout: int = 300
    departure_timeout: int = 20
    max_participants: int = 0
    enable_remote_unmute: bool = False


class JoinRefused(Exception):
    """The signalling handshake failed with this HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text


class SimulatedRoom:
    """One instance of a room. `message` is what the API shows, `turn_password` included."""

    def __init__(self, settings: api.CreateRoomRequest, defaults: RoomDefaults, clock: SimulatorClock, webhooks: WebhookSender) -> None:
        now = clock.now()
        self.participants: dict[str, SimulatedParticipant] = {}
        self._clock = clock
        self._webhooks = webhooks
        self._counted_at = now
        self._has_been_joined = False
        self._last_left_at: float | None = None
        self._created_at = now
        self.message = api.Room(
            sid=ids.make("RM_"),
            name=settings.name,
            empty_timeout=settings.empty_timeout or defaults.empty_timeout,
            departure_timeout=settings.departure_timeout or defaults.departure_timeout,
            max_participants=settings.max_participants or defaults.max_participants,
            metadata=settings.metadata,
            creation_time=int(now),
            creation_time_ms=int(now * 1000),
            turn_password=ids.turn_password(),
            enabled_codecs=[api.Codec(mime=mime) for mime in CODECS],
        )
        self.tell_room("room_started")

    def join(self, claims: Claims, token: str) -> SimulatedParticipant:
        """A new connection; one of the same identity is thrown out first. Raises JoinRefused 500 when the room is full."""
        earlier = self.participants.get(claims.identity)
        if earlier:
            self.remove(earlier, DisconnectReason.DUPLICATE_IDENTITY)
        participant = SimulatedParticipant(self, claims, token, self._clock)
        if not participant.is_dependent and self.is_full():
            raise JoinRefused(500, "Internal Server Error")
        self.participants[participant.identity] = participant
        self._has_been_joined |= not participant.is_dependent
        return participant

    def join_again(self, participant: SimulatedParticipant) -> SimulatedParticipant:
        """The same person by a new connection."""
        message = participant.message
        again = SimulatedParticipant(self, Claims(identity=message.identity, name=message.name), participant.token, self._clock)
        again.message.permission.CopyFrom(message.permission)
        again.message.kind = message.kind
        if participant.identity in self.participants:
            self.remove(participant, DisconnectReason.DUPLICATE_IDENTITY)
        self.participants[again.identity] = again
        return again

    def is_full(self) -> bool:
        """Whether the people here, without egress and agents, are as many as the room takes."""
        return 0 < self.message.max_participants <= sum(1 for _ in self.people())

    def people(self) -> Iterator[SimulatedParticipant]:
        """Those who count and keep the room open."""
        return (participant for participant in self.participants.values() if not participant.is_dependent)

    def remove(self, participant: SimulatedParticipant, reason: DisconnectReason) -> None:
        """Takes somebody out: tracks first, then the person. Nothing happens when this connection is gone already."""
        if self.participants.get(participant.identity) is not participant:
            return
        was_active = participant.is_active
        for track in list(participant.message.tracks):
            participant.unpublish(track.sid)
        participant.message.state = api.ParticipantInfo.DISCONNECTED
        participant.message.disconnect_reason = reason
        participant.message.version += 1
        del self.participants[participant.identity]
        self._last_left_at = self._clock.now()
        self.tell_participant("participant_left" if was_active else "participant_connection_aborted", participant)

    def tick(self) -> bool:
        """What a second brings: lost connections go, counts are brought up to date. True when the room should close."""
        now = self._clock.now()
        for participant in list(self.participants.values()):
            if participant.lost_at is not None and now - participant.lost_at >= LOST_AFTER:
                self.remove(participant, DisconnectReason.CONNECTION_TIMEOUT)
            elif not participant.is_active and now - participant.joined_at >= JOIN_WITHIN:
                self.remove(participant, DisconnectReason.JOIN_FAILURE)
        if now - self._counted_at >= COUNTS_EVERY:
            self._count(now)
        return not any(self.people()) and now >= self._closes_at()

    def close(self) -> None:
        """Everybody out, then the room."""
        for participant in list(self.participants.values()):
            self.remove(participant, DisconnectReason.ROOM_DELETED)
        self.tell_room("room_finished")

    def tell_room(self, event: str) -> None:
        """A webhook about the room."""
        self._notify(api.WebhookEvent(event=event, room=self.message))

    def tell_participant(self, event: str, participant: SimulatedParticipant) -> None:
        """A webhook about a person, with the whole room."""
        self._notify(api.WebhookEvent(event=event, room=self.message, participant=participant.message))

    def tell_track(self, event: str, participant: SimulatedParticipant, track: api.TrackInfo) -> None:
        """A webhook about a track: room and person are down to their ids."""
        room = api.Room(sid=self.message.sid, name=self.message.name)
        person = api.ParticipantInfo(sid=participant.sid, identity=participant.identity)
        self._notify(api.WebhookEvent(event=event, room=room, participant=person, track=track))

    def _notify(self, event: api.WebhookEvent) -> None:
        self._webhooks.notify(self.message.name, event)

    def _count(self, now: float) -> None:
        """Dependents that send are publishers, though no participants."""
        self.message.num_participants = sum(1 for _ in self.people())
        self.message.num_publishers = sum(one.message.is_publisher for one in self.participants.values())
        self._counted_at = now

    def _closes_at(self) -> float:
        """A room whose dependents alone came and went is one that nobody joined; one of them that goes later begins the time anew."""
        if self._last_left_at is None or not self._has_been_joined:
            return self._created_at + self.message.empty_timeout
        return self._last_left_at + self.message.departure_timeout


class SimulatedRooms:
    """All rooms by name."""

    def __init__(self, defaults: RoomDefaults, clock: SimulatorClock, webhooks: WebhookSender) -> None:
        self.live: dict[str, SimulatedRoom] = {}
        self.defaults = defaults
        self._clock = clock
        self._webhooks = webhooks

    def open(self, settings: api.CreateRoomRequest) -> SimulatedRoom:
        """Get or create: a live room keeps its settings, whatever is asked."""
        if settings.name not in self.live:
            self.live[settings.name] = SimulatedRoom(settings, self.defaults, self._clock, self._webhooks)
        return self.live[settings.name]

    def join(self, claims: Claims, token: str) -> SimulatedParticipant:
        """Lets the holder of a verified token in. Raises JoinRefused 401, 404 or 500."""
        grants = claims.video
        if grants is None or not grants.room_join or not grants.room:
            raise JoinRefused(401, "no permissions to access the room")
        if grants.room not in self.live and not self.defaults.auto_create:
            raise JoinRefused(404, "requested room does not exist")
        return self.open(settings_of(claims, grants.room)).join(claims, token)

    def close(self, name: str) -> None:
        """Deletes a live room. Raises KeyError for another."""
        self.live.pop(name).close()

    def tick(self) -> None:
        """Once a second."""
        for name, room in list(self.live.items()):
            if room.tick():
                self.close(name)


def settings_of(claims: Claims, name: str) -> api.CreateRoomRequest:
    """The settings that a join brings along; they hold only if that join opens the room."""
    config = claims.room_config or api.RoomConfiguration()
    return api.CreateRoomRequest(
        name=name,
        empty_timeout=config.empty_timeout,
        departure_timeout=config.departure_timeout,
        max_participants=config.max_participants,
        metadata=config.metadata,
    )
