"""Removing someone from a call for good, and lifting that block again."""

import logging
from dataclasses import dataclass
from uuid import UUID

from domain import events, push
from domain.calls.access import Entered, enter
from domain.calls.ending import close_room, end_call, end_unanswered
from domain.calls.rows import Participant
from domain.errors import InvalidInput, NotAllowed
from domain.input import require_text
from domain.life_cycle import move_participant
from domain.ports import MediaError
from domain.presence import settle
from domain.world import Transaction, World
from permissions.session import Session

log = logging.getLogger(__name__)
LONGEST_REASON = 100


@dataclass(frozen=True, slots=True)
class KickParticipant:
    call_id: UUID
    participant_id: UUID
    call_ended: bool


@dataclass(frozen=True, slots=True)
class ReadmitParticipant:
    call_id: UUID
    participant_id: UUID


async def kick_participant(
    world: World, session: Session, call_id: UUID, participant_id: UUID, reason: str | None = None
) -> KickParticipant:
    """A host or co-host removes someone, in the call or not: a block until readmitParticipant. A direct call ends `kicked`.

    Refuses with NotAllowed (not a host, or the host is meant), NotFound (no such participant here), InvalidInput (reason over 100
    characters). Who is out already stays out: kicking twice is kicking once.
    """
    if reason is not None:
        require_text("reason", reason, LONGEST_REASON)
    async with world.transaction("kick_participant.write") as tx:
        door = await enter(tx, world, session, call_id)
        door.hosting()
        other = door.other(participant_id)
        if other.role == "host":
            raise NotAllowed("The host can't be removed.")
        ended = await _kick(tx, door, other, reason)
    if ended:
        await close_room(world, door.call.room_name)
    else:
        await remove(world, door.call.room_name, other.identity)
    return KickParticipant(call_id, participant_id, ended)


async def _kick(tx: Transaction, door: Entered, other: Participant, reason: str | None) -> bool:
    before = await move_participant(tx, other.id, "kicked", now=door.now, leave_reason=reason or "kicked")
    if before is None:
        return False
    if before == "ringing":
        await push.enqueue(tx, door.call.id, [other.user_id], "cancel")
    await events.append(tx, door.call.id, "kicked", door.user_id, {"reason": reason}, other.id)
    if door.roster.is_direct(door.call):
        return await end_call(tx, door.call, "kicked", actor_id=door.user_id, now=door.now)
    if before == "ringing":
        return await end_unanswered(tx, door.call, actor_id=door.user_id, now=door.now)
    await settle(tx, door.call, now=door.now)
    return False


async def remove(world: World, room: str, identity: str) -> None:
    """Puts a person out of the room. LiveKit can't revoke a token: whoever rejoins with an old one is put out again
    by the `participant_joined` webhook, the watch after a kick and the reconciler, which also serve when this call fails."""
    try:
        await world.rooms.remove_participant(room, identity)
    except MediaError as error:
        log.warning("a removed participant may still be in the room", extra={"room": room, "error": str(error)})


async def readmit_participant(world: World, session: Session, call_id: UUID, participant_id: UUID) -> ReadmitParticipant:
    """A host or co-host lifts the block: kicked → invited; the person may join again but is not rung."""
    async with world.transaction("readmit_participant.write") as tx:
        door = await enter(tx, world, session, call_id)
        host = door.hosting()
        other = door.other(participant_id)
        if other.status != "kicked":
            raise InvalidInput("That participant was not removed.")
        await move_participant(tx, other.id, "invited", now=door.now)
        await events.append(tx, call_id, "readmitted", host.user_id, {}, other.id)
        return ReadmitParticipant(call_id, other.id)
