"""Removing someone from a call for good, and lifting that block again."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from domain import push_outbox
from domain.calls import events
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.results import ParticipantResult
from domain.calls.ending import close_room_or_leave_it, end_for_all, end_unanswered
from domain.calls.leaving import pass_broadcasts_on
from domain.calls.life_cycle import ParticipantStatus, move_participant
from domain.calls.presence import settle
from domain.calls.rows import Participant
from domain.errors import InvalidInput, NotAllowed
from domain.input_checks import require_text
from domain.ports import MediaError
from domain.world import Transaction, World
from permissions.session import Session

log = structlog.get_logger(__name__)
LONGEST_REASON = 100


@dataclass(frozen=True, slots=True)
class Kicked:
    """What a kick brought about. `encoders` are the identities of those that sent to a broadcast on the person's behalf."""

    call_ended: bool = False
    encoders: Sequence[str] = ()


async def kick_participant(
    world: World, session: Session, call_id: UUID, participant_id: UUID, reason: str | None = None
) -> ParticipantResult:
    """A host or co-host removes someone, in the call or not: a block until readmitParticipant. A direct call ends `kicked`.

    The call's broadcasts that the person hosts are the call's host's from now on; one that the person started and that runs ends
    (`domain/streams/due.py`).

    Refuses with NotAllowed (not a host, or the host is meant), NotFound (no such participant here), InvalidInput (reason over 100
    characters). Who is out already stays out: kicking twice is kicking once.
    """
    if reason is not None:
        require_text("reason", reason, LONGEST_REASON)
    async with world.transaction("kick_participant.write") as tx:
        access = await access_call(tx, world, session, call_id)
        access.hosting()
        other = access.other(participant_id)
        if other.role == "host":
            raise NotAllowed("The host can't be removed.")
        kicked = await _kick(tx, access, other, reason)
    if kicked.call_ended:
        await close_room_or_leave_it(world, access.call.room_name)
    else:
        for identity in (other.identity, *kicked.encoders):
            await remove(world, access.call.room_name, identity)
    return ParticipantResult(call_id, participant_id, kicked.call_ended)


async def _kick(tx: Transaction, access: CallAccess, other: Participant, reason: str | None) -> Kicked:
    before = await move_participant(tx, other.id, "kicked", now=access.now, leave_reason=reason or "kicked")
    if before is None:
        return Kicked()
    host = access.roster.host
    heir = access.user_id if host is None else host.user_id
    encoders = await pass_broadcasts_on(tx, access.call, other.user_id, heir, now=access.now, also_over=True)
    return Kicked(await _follow(tx, access, other, before, reason), encoders)


async def _follow(tx: Transaction, access: CallAccess, other: Participant, before: ParticipantStatus, reason: str | None) -> bool:
    """What it means for the call; whether that is over."""
    if before == "ringing":
        await push_outbox.enqueue(tx, access.call.id, [other.user_id], "cancel")
    await events.append(tx, access.call.id, "kicked", access.user_id, {"reason": reason}, other.id)
    if access.roster.is_direct(access.call):
        return await end_for_all(tx, access.call, "kicked", actor_id=access.user_id, now=access.now)
    if before == "ringing":
        return await end_unanswered(tx, access.call, actor_id=access.user_id, now=access.now)
    await settle(tx, access.call, now=access.now)
    return False


async def remove(world: World, room: str, identity: str) -> None:
    """Puts a person, or an encoder, out of the room. LiveKit can't revoke a token: whoever rejoins with an old one is put out again
    by the `participant_joined` webhook, the watch after a kick and the reconciler, which also serve when this call fails."""
    try:
        await world.rooms.remove_participant(room, identity)
    except MediaError as error:
        log.warning("participant_not_removed", room=room, error=str(error))


async def readmit_participant(world: World, session: Session, call_id: UUID, participant_id: UUID) -> ParticipantResult:
    """A host or co-host lifts the block: kicked → invited; the person may join again but is not rung."""
    async with world.transaction("readmit_participant.write") as tx:
        access = await access_call(tx, world, session, call_id)
        host = access.hosting()
        other = access.other(participant_id)
        if other.status != "kicked":
            raise InvalidInput("That participant was not removed.")
        await move_participant(tx, other.id, "invited", now=access.now)
        await events.append(tx, call_id, "readmitted", host.user_id, {}, other.id)
        return ParticipantResult(call_id, other.id)
