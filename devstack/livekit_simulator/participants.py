"""A person in a simulated room, driven by a test as a client would: joins, publishes, drops off, comes back."""

from typing import TYPE_CHECKING, Final

from livekit import api
from livekit.api.access_token import Claims
from livekit.protocol.models import DisconnectReason, TrackSource, TrackType

from devstack.livekit_simulator import ids
from devstack.livekit_simulator.clock import SimulatorClock

if TYPE_CHECKING:
    from devstack.livekit_simulator.rooms import SimulatedRoom

SOURCES: Final = {
    "camera": TrackSource.CAMERA,
    "microphone": TrackSource.MICROPHONE,
    "screen_share": TrackSource.SCREEN_SHARE,
    "screen_share_audio": TrackSource.SCREEN_SHARE_AUDIO,
}
TYPES: Final = {
    TrackSource.CAMERA: TrackType.VIDEO,
    TrackSource.MICROPHONE: TrackType.AUDIO,
    TrackSource.SCREEN_SHARE: TrackType.VIDEO,
    TrackSource.SCREEN_SHARE_AUDIO: TrackType.AUDIO,
}
KINDS: Final = {
    "": api.ParticipantInfo.STANDARD,
    "standard": api.ParticipantInfo.STANDARD,
    "ingress": api.ParticipantInfo.INGRESS,
    "egress": api.ParticipantInfo.EGRESS,
    "sip": api.ParticipantInfo.SIP,
    "agent": api.ParticipantInfo.AGENT,
}
DEPENDENTS: Final = frozenset({api.ParticipantInfo.EGRESS, api.ParticipantInfo.AGENT})


class NotPermitted(Exception):
    """The participant's permission does not cover that source."""


class SimulatedParticipant:
    """One connection. `message` is what the API and the webhooks show."""

    def __init__(self, room: "SimulatedRoom", claims: Claims, token: str, clock: SimulatorClock) -> None:
        now = clock.now()
        self.room = room
        self.token = token
        self.joined_at = now
        self.lost_at: float | None = None
        self._clock = clock
        self.message = api.ParticipantInfo(
            sid=ids.make("PA_"),
            identity=claims.identity,
            name=claims.name,
            metadata=claims.metadata,
            attributes=claims.attributes,
            state=api.ParticipantInfo.JOINED,
            kind=KINDS[claims.kind],
            joined_at=int(now),
            joined_at_ms=int(now * 1000),
            version=1,
            permission=permission_of(claims),
        )

    @property
    def sid(self) -> str:
        return self.message.sid

    @property
    def identity(self) -> str:
        return self.message.identity

    @property
    def is_active(self) -> bool:
        return self.message.state == api.ParticipantInfo.ACTIVE

    @property
    def is_dependent(self) -> bool:
        """Egress and agents neither count nor keep a room open."""
        return self.message.kind in DEPENDENTS

    def become_active(self) -> None:
        """The media connection is up: only now LiveKit says `participant_joined`."""
        self.message.state = api.ParticipantInfo.ACTIVE
        self.message.version += 1
        self.room.tell_participant("participant_joined", self)

    def publish(self, source: str, name: str = "") -> str:
        """Publishes a track of this source and returns its sid. Raises NotPermitted."""
        number = SOURCES[source]
        if not self.may_publish(number):
            raise NotPermitted(source)
        kind = TYPES[number]
        track = self.message.tracks.add(sid=ids.track_sid(kind, number), type=kind, source=number, name=name or source)
        self.message.is_publisher = True
        self.message.version += 1
        self.room.tell_track("track_published", self, track)
        return track.sid

    def unpublish(self, track_sid: str) -> None:
        """Takes a track back."""
        for index, track in enumerate(self.message.tracks):
            if track.sid == track_sid:
                gone = api.TrackInfo()
                gone.CopyFrom(track)
                del self.message.tracks[index]
                self.message.version += 1
                self.room.tell_track("track_unpublished", self, gone)
                return

    def track(self, track_sid: str) -> api.TrackInfo | None:
        """The published track of that sid."""
        return next((track for track in self.message.tracks if track.sid == track_sid), None)

    def set_muted(self, track_sid: str, muted: bool) -> None:
        """The person's own mute or unmute: LiveKit tells nobody but the room."""
        track = self.track(track_sid)
        if track is not None:
            track.muted = muted
            self.message.version += 1

    def set_permission(self, permission: api.ParticipantPermission) -> None:
        """Replaces all rights; tracks of sources that are no longer allowed go."""
        self.message.permission.CopyFrom(permission)
        self.message.version += 1
        for track in list(self.message.tracks):
            if not self.may_publish(track.source):
                self.unpublish(track.sid)

    def may_publish(self, source: int) -> bool:
        """An empty list of sources allows every source."""
        permission = self.message.permission
        return permission.can_publish and (not permission.can_publish_sources or source in permission.can_publish_sources)

    def leave(self) -> None:
        """Hangs up."""
        self.room.remove(self, DisconnectReason.CLIENT_INITIATED)

    def drop(self) -> None:
        """The network is gone; LiveKit notices after a while."""
        self.lost_at = self._clock.now()

    def resume(self) -> None:
        """Back in time, as the same participant: no webhook."""
        self.lost_at = None

    def full_reconnect(self) -> "SimulatedParticipant":
        """Back as a new connection with the same token: a new sid, the old one out by duplicate identity."""
        again = self.room.join_again(self)
        again.become_active()
        return again


def permission_of(claims: Claims) -> api.ParticipantPermission:
    """The rights that a token's grants give."""
    grants = claims.video or api.VideoGrants()
    return api.ParticipantPermission(
        can_publish=grants.can_publish,
        can_subscribe=grants.can_subscribe,
        can_publish_data=grants.can_publish_data,
        can_publish_sources=[SOURCES[name] for name in grants.can_publish_sources or ()],
        can_update_metadata=bool(grants.can_update_own_metadata),
        hidden=bool(grants.hidden),
    )
