"""Who may send to a stream that has a room of its own: its host's browser, or the encoder that has the stream's key now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.ports import RoomParticipant
from domain.streams.ingress.rows import wanted_ingress
from domain.streams.rows import Stream
from domain.world import Transaction


@dataclass(frozen=True, slots=True)
class Sources:
    """`encoder` is the identity of the stream's ingress. One whose key was retired is a stranger, as long as LiveKit still lets it in."""

    host_id: UUID
    encoder: str | None

    def includes(self, identity: str) -> bool:
        """LiveKit's clients may add `#…` to their own identity."""
        return identity == self.encoder or identity.partition("#")[0] == str(self.host_id)

    def sending(self, people: Sequence[RoomParticipant]) -> Mapping[str, str]:
        """LiveKit's ids of the connections that send, by identity."""
        found = [one for one in people if one.tracks and one.state != "disconnected"]
        return {one.identity: one.sid for one in found if self.includes(one.identity)}


async def sources_of(tx: Transaction, stream: Stream) -> Sources:
    """As they are now, of a locked stream."""
    ingress = await wanted_ingress(tx, stream.id)
    return Sources(stream.host_id, None if ingress is None else ingress.identity)
