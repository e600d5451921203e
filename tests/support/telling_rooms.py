"""LiveKit as a test drives it: people come and go in the fake rooms, and the webhooks that the real one sends are written down."""

from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from domain.ports import RoomParticipant, Track, TrackSource
from domain.webhooks.inbox import process_pending, store
from domain.webhooks.webhook_event import WebhookEvent
from tests.support.domain_setup import Setup

_numbers = count(1)


@dataclass(slots=True)
class TellingRoom:
    """One room. What happens in it is told at once through the inbox, unless `silent`; `told` keeps every webhook."""

    on: Setup
    name: str
    silent: bool = False
    told: list[WebhookEvent] = field(default_factory=list)

    async def join(self, user_id: UUID | str, *sources: TrackSource) -> RoomParticipant:
        """A client connects, ACTIVE, and publishes; a second join of a person replaces the first."""
        earlier = self.on.rooms.people.get(self.name, {}).get(str(user_id))
        if earlier is not None:
            await self.tell("participant_left", participant(earlier, reason="duplicate_identity"))
        arrived = self.on.rooms.join(self.name, str(user_id), *sources)
        await self.tell("participant_joined", participant(arrived))
        for track in arrived.tracks:
            await self.tell("track_published", slim(arrived) | published(track))
        return arrived

    async def leave(self, user_id: UUID | str, reason: str = "client_initiated") -> RoomParticipant:
        """A client goes, for one of LiveKit's reasons."""
        gone = self.on.rooms.people[self.name][str(user_id)]
        self.on.rooms.disconnect(self.name, str(user_id))
        for track in gone.tracks:
            await self.tell("track_unpublished", slim(gone) | published(track))
        await self.tell("participant_left", participant(gone, reason=reason))
        return gone

    async def finish(self) -> None:
        """The room closes: everybody is told to go, then the room is over."""
        for identity in list(self.on.rooms.people.get(self.name, {})):
            await self.leave(UUID(identity), "room_deleted")
        sid = self.sid
        del self.on.rooms.rooms[self.name]
        await self.tell("room_finished", {}, sid=sid)

    async def tell(self, event: str, payload: dict[str, dict[str, object]], *, sid: str | None = None) -> WebhookEvent:
        """LiveKit sends this webhook; `payload` lacks only the room."""
        room: dict[str, object] = {"name": self.name, "sid": sid or self.sid}
        told = WebhookEvent(f"EV_{next(_numbers)}", event, self.on.clock.now(), {"room": room} | payload)
        self.told.append(told)
        if not self.silent:
            await deliver(self.on, told)
        return told

    @property
    def sid(self) -> str:
        return self.on.rooms.rooms[self.name].sid


async def deliver(on: Setup, *events: WebhookEvent) -> None:
    """The webhooks arrive in this order and are worked out."""
    for event in events:
        await store(on.world, event)
    await process_pending(on.world)


def participant(who: RoomParticipant, reason: str = "unknown_reason") -> dict[str, dict[str, object]]:
    """A participant as `participant_joined` and `participant_left` tell of one."""
    state = who.state if reason == "unknown_reason" else "disconnected"
    fields = {
        "identity": who.identity,
        "sid": who.sid,
        "kind": "agent" if who.watches else "ingress" if who.identity.startswith("ingress:") else "standard",
        "state": state,
        "disconnect_reason": reason,
    }
    return {"participant": dict(fields)}


def slim(who: RoomParticipant) -> dict[str, dict[str, object]]:
    """A participant as track events tell of one."""
    return {"participant": {"identity": who.identity, "sid": who.sid}}


def published(track: Track) -> dict[str, dict[str, object]]:
    return {"track": {"sid": track.sid, "source": track.source, "muted": track.muted}}
