"""Several are put out of a room: after one look, by one request for each who is there, a few at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.calls.repairs import tell
from domain.ports import MediaError
from domain.world import World

# What follows it in an identity is LiveKit's: the same token let in beside itself.
BESIDE: Final = "#"


@dataclass(frozen=True, slots=True)
class PutOut:
    """Exactly this participant: whoever joined in the same name has an identity of their own, and is seen by it."""

    room: str
    identity: str

    async def carry_out(self, world: World) -> None:
        """Nobody there is fine. Raises MediaError."""
        await world.rooms.remove_exactly(self.room, self.identity)


async def put_out(world: World, room: str, identities: Sequence[str]) -> Mapping[str, MediaError]:
    """Exactly those, who were seen in the room. Returns who may still be there, and why: after LiveKit's first silence nobody is asked
    for any more."""
    told = await tell(world, [[PutOut(room, identity)] for identity in identities])
    return {identity: failure for identity, failure in zip(identities, told, strict=True) if failure is not None}


async def empty_of(world: World, room: str, people: Collection[str]) -> Mapping[str, MediaError]:
    """Those of `people` who are in the room, and whoever joined in their names. Returns who may still be there, and why.

    Raises MediaError when LiveKit does not say who is there.
    """
    inside = [one.identity for one in await world.rooms.list_participants(room)]
    kept = await put_out(world, room, [identity for identity in inside if _owner(identity) in people])
    return {_owner(identity): failure for identity, failure in kept.items()}


def _owner(identity: str) -> str:
    return identity.partition(BESIDE)[0]
