"""What a commit asks of LiveKit: collected inside the transaction, carried out after it, safe to repeat."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

import sqlalchemy as sa

from domain.calls.ending import close_room
from domain.calls.grants import grant_for
from domain.calls.leaving import Left, grant_host_rights
from domain.calls.life_cycle import LIVING
from domain.calls.rows import Call, Participant
from domain.ports import MediaError, MediaSilent
from domain.world import World
from schema.tables.calls import calls


@dataclass(frozen=True, slots=True)
class RemoveParticipant:
    """Removes a person from a room; nobody there is fine."""

    room: str
    identity: str


@dataclass(frozen=True, slots=True)
class DeleteRoom:
    """Deletes the room of a call that is over."""

    room: str


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """Makes sure that an active call has its room, and notes the room's sid."""

    call: Call


@dataclass(frozen=True, slots=True)
class GrantHostRights:
    """Gives who hosts a call now what a host may do."""

    call: Call
    new_host: Participant


@dataclass(frozen=True, slots=True)
class GrantRights:
    """Gives a participant the rights of the row, and no others."""

    call: Call
    who: Participant


# So many calls at once are told of.
AT_ONCE: Final = 8


class OtherRepair(Protocol):
    """What the room of something else than a call needs; who asks for it knows how."""

    async def carry_out(self, world: World) -> None:
        """Raises MediaError."""
        ...


Repair = RemoveParticipant | DeleteRoom | OpenRoom | GrantHostRights | GrantRights | OtherRepair


async def carry_out(world: World, repairs: Iterable[Repair]) -> None:
    """Does them in order, outside any transaction. Raises MediaError: what is left is found again by the reconciler."""
    for repair in repairs:
        match repair:
            case RemoveParticipant(room, identity):
                await world.rooms.remove_participant(room, identity)
            case DeleteRoom(room):
                await close_room(world, room)
            case OpenRoom(call):
                await _open_room(world, call)
            case GrantHostRights(call, new_host):
                await grant_host_rights(world, call, new_host)
            case GrantRights(call, who):
                await world.rooms.set_grant(call.room_name, who.identity, grant_for(call, who))
            case _:
                await repair.carry_out(world)


async def tell(world: World, decided: Sequence[Sequence[Repair]]) -> list[MediaError | None]:
    """For each what became of it; None is done. After LiveKit's first silence nobody else waits for it, and the rest has the same failure.

    An answer, whatever it says, stops no other. What is not told has its mark in the database, and the reconciler or the inbox tells it
    later.
    """
    places, silences = asyncio.Semaphore(AT_ONCE), list[MediaSilent]()

    async def one(repairs: Sequence[Repair]) -> MediaError | None:
        async with places:
            if silences:
                return silences[0]
            try:
                await carry_out(world, repairs)
            except MediaError as error:
                if isinstance(error, MediaSilent):
                    silences.append(error)
                return error
            return None

    return await asyncio.gather(*(one(repairs) for repairs in decided))


def follow_up(call: Call, left: Left) -> list[Repair]:
    """What someone's leaving asks of LiveKit, apart from their removal: delete the room, or remove their encoder and tell who hosts."""
    if left.call_ended:
        return [DeleteRoom(call.room_name)]
    encoders = [RemoveParticipant(call.room_name, identity) for identity in left.encoders]
    return [*encoders, *([] if left.new_host is None else [GrantHostRights(call, left.new_host)])]


async def _open_room(world: World, call: Call) -> None:
    room = await world.rooms.create_room(call.room_name, max_participants=call.max_participants)
    if not await note_room(world, call.id, room.sid):
        # The call ended while its room was being made.
        await close_room(world, call.room_name)


async def note_room(world: World, call_id: UUID, sid: str) -> bool:
    """Stores the sid of the room's present life; False when the call is over."""
    living = (calls.c.id == call_id, calls.c.status.in_(LIVING))
    async with world.transaction("room.note") as tx:
        noted = sa.update(calls).where(*living).values(room_sid=sid).returning(calls.c.id)
        return (await tx.connection.execute(noted)).first() is not None
