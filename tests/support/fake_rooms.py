"""LiveKit's rooms in memory, for tests of the domain: behaves as the port promises and can be told to fail."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from domain.ports import Grant, LiveRoom, MediaError, MediaSilent, ParticipantState, Room, RoomParticipant, Track, TrackSource


@dataclass(slots=True)
class FakeRooms:
    """`domain.ports.Rooms`, where who is called `ingress:…` is an ingress.

    `broken` names methods that answer nothing, `unanswered` identities for which no node answers; `asked` counts the calls by method.

    `grants` holds what `set_grant` last gave an identity that is in a room.
    """

    rooms: dict[str, Room] = field(default_factory=dict)
    people: dict[str, dict[str, RoomParticipant]] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    stay_empty: dict[str, int | None] = field(default_factory=dict)
    grants: dict[tuple[str, str], Grant] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    _numbers: Counter[str] = field(default_factory=Counter)

    async def create_room(self, name: str, *, max_participants: int, empty_timeout: int | None = None) -> Room:
        self._ask("create_room")
        self.limits.setdefault(name, max_participants)
        self.stay_empty.setdefault(name, empty_timeout)
        return self.rooms.setdefault(name, Room(name, self._sid("RM")))

    async def delete_room(self, name: str) -> None:
        self._ask("delete_room")
        self.rooms.pop(name, None)
        self.people.pop(name, None)

    async def list_rooms(self, names: Sequence[str]) -> list[Room]:
        self._ask("list_rooms")
        return [self.rooms[name] for name in names if name in self.rooms]

    async def all_rooms(self) -> list[LiveRoom]:
        self._ask("all_rooms")
        return [LiveRoom(room.name, room.sid, *self._counts(room.name)) for room in self.rooms.values()]

    async def list_participants(self, room: str, *, ingresses: bool = False) -> list[RoomParticipant]:
        self._ask("list_participants")
        return [one for one in self.people.get(room, {}).values() if ingresses or not one.identity.startswith("ingress:")]

    async def remove_participant(self, room: str, identity: str) -> bool:
        self._ask("remove_participant")
        return self.people.get(room, {}).pop(identity, None) is not None

    async def remove_exactly(self, room: str, identity: str) -> bool:
        self._ask("remove_exactly")
        if identity in self.unanswered:
            raise MediaError("remove_exactly: 503 unavailable")
        return self.people.get(room, {}).pop(identity, None) is not None

    async def mute_track(self, room: str, identity: str, track_sid: str) -> bool:
        self._ask("mute_track")
        found = self.people.get(room, {}).get(identity)
        if found is None or all(track.sid != track_sid for track in found.tracks):
            return False
        tracks = tuple(replace(track, muted=True) if track.sid == track_sid else track for track in found.tracks)
        self.people[room][identity] = replace(found, tracks=tracks)
        return True

    async def set_grant(self, room: str, identity: str, grant: Grant) -> bool:
        self._ask("set_grant")
        found = self.people.get(room, {}).get(identity)
        if found is None:
            return False
        self.people[room][identity] = replace(found, sources=frozenset(grant.sources))
        self.grants[room, identity] = grant
        return True

    def join(self, room: str, identity: str, *sources: TrackSource, state: ParticipantState = "active") -> RoomParticipant:
        """A client connects with its token and publishes these tracks; a second join of an identity replaces the first."""
        tracks = tuple(Track(self._sid("TR"), source, muted=False) for source in sources)
        arrived = RoomParticipant(identity, self._sid("PA"), state, tracks)
        self.people.setdefault(room, {})[identity] = arrived
        return arrived

    def disconnect(self, room: str, identity: str) -> None:
        """A client goes away by itself."""
        self.people.get(room, {}).pop(identity, None)

    def _counts(self, room: str) -> tuple[int, int]:
        """As LiveKit's: viewers are none of them."""
        people = [one for one in self.people.get(room, {}).values() if not one.watches]
        return len(people), sum(bool(one.tracks) for one in people)

    def _ask(self, method: str) -> None:
        self.asked[method] += 1
        if method in self.broken:
            raise MediaSilent(f"{method}: no answer")

    def _sid(self, prefix: str) -> str:
        self._numbers[prefix] += 1
        return f"{prefix}_{self._numbers[prefix]}"
