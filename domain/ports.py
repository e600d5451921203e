"""The outside world as the domain sees it. Adapters live in app/; the domain never knows LiveKit."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal, Protocol, TypeVar
from uuid import UUID

TrackSource = Literal["camera", "microphone", "screen_share", "screen_share_audio"]
# What LiveKit may add one day, and a track of data, is `unknown`.
Unknown = Literal["unknown"]
ParticipantState = Literal["joining", "joined", "active", "disconnected"]
# What identities of viewers begin with; the id of their session follows.
VIEWER: Final = "viewer:"


class MediaError(Exception):
    """The media server could not be reached, timed out, or failed: the outcome is unknown, the reconciler repairs."""


class MediaSilent(MediaError):
    """The media server did not answer at all: who asks for something else would wait as long."""


class MediaRefused(MediaError):
    """The media server understood and refused (wrong key, bad argument): trying again will not help."""


@dataclass(frozen=True, slots=True)
class Room:
    name: str
    sid: str


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """A room as the list of all shows it. The counts are LiveKit's own, of people and of those who publish, and up to 5 s late."""

    name: str
    sid: str
    participants: int
    publishers: int


@dataclass(frozen=True, slots=True)
class Track:
    sid: str
    source: TrackSource | Unknown
    muted: bool


@dataclass(frozen=True, slots=True)
class RoomParticipant:
    """`identity` is the user's id, or that of a viewer's session. People and viewers are listed, and ingresses to whoever asks: no egress,
    and nobody else's agents."""

    identity: str
    sid: str
    state: ParticipantState | Unknown
    tracks: tuple[Track, ...] = ()
    # What the person may publish at this moment; None where that is not known.
    sources: frozenset[TrackSource] | None = None

    @property
    def watches(self) -> bool:
        """Watches a stream: nobody's seat, and no part of any conversation."""
        return is_viewer(self.identity)


def is_viewer(identity: str) -> bool:
    """Whether a participant's identity is that of a stream's viewer."""
    return identity.startswith(VIEWER)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a participant may do in a room; every right explicit (an empty `sources` means: publish nothing)."""

    sources: tuple[TrackSource, ...]
    subscribe: bool = True
    data: bool = True
    # One of those who only watch: nobody else hears of the participant, who takes none of the room's places and keeps no room open.
    audience: bool = False


@dataclass(frozen=True, slots=True)
class JoinToken:
    token: str
    expires_at: datetime


class Rooms(Protocol):
    """LiveKit's rooms. Each method raises MediaError; what is already so is not an error."""

    async def create_room(self, name: str, *, max_participants: int, empty_timeout: int | None = None) -> Room:
        """Get or create. `max_participants` is the call's own limit; the adapter adds some for lost connections and second devices, and
        0 is none. So many seconds it stays without anybody; None for the adapter's default."""
        ...

    async def delete_room(self, name: str) -> None:
        """An absent room is deleted already."""
        ...

    async def list_rooms(self, names: Sequence[str]) -> list[Room]: ...

    async def all_rooms(self) -> list[LiveRoom]:
        """Every room there is, also those that are no business of ours."""
        ...

    async def list_participants(self, room: str, *, ingresses: bool = False) -> list[RoomParticipant]:
        """An unknown room has none."""
        ...

    async def remove_participant(self, room: str, identity: str) -> bool:
        """And whoever joined in that person's name, `<identity>#…`. False when nobody was there."""
        ...

    async def remove_exactly(self, room: str, identity: str) -> bool:
        """Exactly this participant, by one request: for whoever has looked who is there. False when nobody was."""
        ...

    async def mute_track(self, room: str, identity: str, track_sid: str) -> bool:
        """Soft mute of one published track; False when room, participant or track is absent."""
        ...

    async def set_grant(self, room: str, identity: str, grant: Grant) -> bool:
        """Replaces all rights of a present participant; False when absent."""
        ...


IngressKind = Literal["rtmp", "whip"]
IngressStatus = Literal["inactive", "buffering", "publishing", "error", "complete"]


@dataclass(frozen=True, slots=True)
class IngressWanted:
    """A way into a room for an encoder, in whose place a participant of this identity and name stands; `id` is ours."""

    id: UUID
    kind: IngressKind
    room: str
    identity: str
    name: str


@dataclass(frozen=True, slots=True)
class NewIngress:
    """What the encoder is told: an address, and a key that nobody else may see."""

    id: str
    url: str
    stream_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IngressState:
    """LiveKit's newest word on an encoder, of the time `told_at`. Rates are bits a second; a figure that nobody knows is None."""

    status: IngressStatus | Unknown
    told_at: datetime | None = None
    started_at: datetime | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    video_bitrate: int | None = None
    audio_bitrate: int | None = None


@dataclass(frozen=True, slots=True)
class ListedIngress:
    """An ingress that we asked for, `wanted` by our own id."""

    id: str
    wanted: UUID
    room: str
    state: IngressState


class Ingests(Protocol):
    """LiveKit's ingresses: how encoders get into rooms. Each method raises MediaError, MediaRefused or MediaSilent."""

    async def create(self, wanted: IngressWanted) -> NewIngress:
        """Never repeated by itself: two requests would be two ingresses. MediaRefused where LiveKit gives encoders no address."""
        ...

    async def delete(self, ingress_id: str) -> None:
        """Its key opens nothing any more, and whoever publishes with it is cut off. An absent one is deleted already."""
        ...

    async def ours(self) -> list[ListedIngress]:
        """Every one that this deployment asked for, whatever became of its stream."""
        ...

    async def present(self, room: str) -> frozenset[str]:
        """The identities of the encoders that are in a room as participants now; an unknown room has none."""
        ...


class JoinTokens(Protocol):
    """Signs locally; no I/O."""

    def sign(
        self, *, room: str, identity: str, name: str, grant: Grant, max_participants: int, empty_timeout: int | None = None
    ) -> JoinToken:
        """What a room is made with stands in the token as well: a client that comes back after a restart of LiveKit brings it along."""
        ...


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed: `topic` is `call:<id>`, `stream:<id>`, `user:<id>` or `table:<name>`. Losing a hint costs latency, never data."""

    topic: str
    seq: int | None = None


class Publisher(Protocol):
    async def publish(self, hints: Sequence[Hint]) -> None:
        """Best effort: never raises for a broken broker."""
        ...


class Clock(Protocol):
    def now(self) -> datetime: ...


FigureName = Literal["state_divergence", "push_oldest", "event_oldest", "removals_waiting", "removal_oldest", "recorder_skew"]


class Figures(Protocol):
    def __call__(self, name: FigureName, value: float, /) -> None:
        """A number that an operator watches, as it is now, in seconds: `state_divergence`, since when database and LiveKit have been apart,
        `push_oldest` and `event_oldest`, how long the oldest push or event waits for its delivery, `removal_oldest`, how long the oldest
        recording waits for its removal, `recorder_skew`, how far the clock of a recorder was away that has begun. `removals_waiting` is a
        count."""
        ...


class RateLimiter(Protocol):
    async def hit(self, limit: str, key: str, times: int = 1) -> None:
        """Counts uses of a limit (`initiate`, `token`, `chat`, …) by this key; raises RateLimited, counting none, where it is too many."""
        ...


Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Batches(Protocol):
    """What many ask for at a moment is written together."""

    async def written(
        self, of: Hashable, item: Item, write: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]], *, every: float
    ) -> Outcome:
        """What came of the item, once the transaction that wrote it is committed; raises what that failed with.

        `write` writes items `of` one thing and answers in their order. It is called at once, and then again no sooner than `every` seconds
        after the last time, with all that came meanwhile. An item is written though its sender goes away, or the process ends in order.
        """
        ...


PushTransport = Literal["voip", "alert"]


@dataclass(frozen=True, slots=True)
class Push:
    """One push as the deployment's push service gets it. `attempt` is the number of this try."""

    id: UUID
    user_id: UUID
    kind: str
    transport: PushTransport
    collapse_id: UUID
    payload: Mapping[str, object]
    created_at: datetime
    expires_at: datetime
    attempt: int


class NotTaken(Exception):
    """Who is behind a webhook said no or nothing. It may have taken what was sent nevertheless; in a word why."""


class PushService(Protocol):
    async def deliver(self, push: Push, *, within: float) -> None:
        """Hands the push over within so many seconds; raises NotTaken. The service knows a push that comes again by its id."""
        ...


@dataclass(frozen=True, slots=True)
class OutsideEvent:
    """One event as the deployment's own backend gets it. `attempt` is the number of this try."""

    id: UUID
    kind: str
    payload: Mapping[str, object]
    created_at: datetime
    attempt: int


class EventReceiver(Protocol):
    async def deliver(self, event: OutsideEvent, *, within: float) -> None:
        """Hands the event over within so many seconds; raises NotTaken. The receiver knows one that comes again by its id."""
        ...


@dataclass(frozen=True, slots=True)
class IceServer:
    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class Unreadable(Exception):
    """What is stored was not sealed with any of our keys, or there is none."""


class NoSealingKey(Unreadable):
    """The deployment has no encryption key: nothing can be sealed, and nothing read."""


class Sealer(Protocol):
    """Small secrets at rest, in columns that `schema.tables.columns.sealed` makes. Of the settings' keys the first seals, all read."""

    def seal(self, secret: str) -> str:
        """Text for such a column; the same secret never looks the same twice. Raises NoSealingKey."""
        ...

    def reveal(self, sealed: str) -> str:
        """The secret in clear. Raises Unreadable, which never quotes what is stored."""
        ...

    def reseal(self, sealed: str) -> str:
        """The same secret under the first key; as it was where that key sealed it. Raises Unreadable."""
        ...


IpAddress = IPv4Address | IPv6Address


class Unresolvable(Exception):
    """The name leads nowhere, or nobody said where in time."""


class HostNames(Protocol):
    async def addresses(self, host: str, whose: str) -> Sequence[IpAddress]:
        """All addresses that a name leads to now. Raises Unresolvable. `whose` it is, anything that tells people apart: slow names of one
        take nobody else's turn."""
        ...


class TurnCredentials(Protocol):
    def issue(self, user_id: UUID) -> list[IceServer]:
        """STUN and TURN servers of the settings with credentials for this user (TURN REST scheme)."""
        ...

    def lifetime(self) -> int:
        """Seconds until they expire."""
        ...


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Numbers of the settings that a call's life cycle needs; seconds unless named otherwise."""

    max_participants: int = 100
    max_duration: int = 480 * 60
    token_ttl: int = 600
    connecting_timeout: int = 60
    reconnecting_timeout: int = 30
    disconnected_timeout: int = 60
    max_recording: int = 480 * 60
    # Of a recording that begins; all its parts have the same.
    segment_seconds: int = 4
    # Whether recordings may begin; one that runs ends as ever.
    recording: bool = True
    # The retention policy for all.
    default_policy: str = "pro"
    # Names of the layouts that the deployment composes itself.
    recording_templates: frozenset[str] = frozenset()
    media_link_ttl: int = 900
    # Whether streams may be sent on to this machine itself, which only development does.
    sends_to_loopback: bool = False


@dataclass(frozen=True, slots=True)
class StreamingLimits:
    """The same of streams. `keep_hours`: so long a stream that is not recorded plays after its end. `bucket` holds their segments."""

    # Whether streams may begin; one that runs ends as ever.
    streaming: bool = True
    most_at_once: int = 10
    keep_hours: int = 24
    bucket: str | None = None
