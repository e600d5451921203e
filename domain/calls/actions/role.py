"""What a participant may do in the call: the host gives roles, and hands the call on."""

from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.calls import events
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.results import ParticipantResult
from domain.calls.grants import grant_for
from domain.calls.rows import Participant, ParticipantRole, lock_call, participant
from domain.errors import InvalidInput, NotAllowed
from domain.ports import MediaError
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.call_participants import call_participants

log = structlog.get_logger(__name__)
# Who hands the call on stays in it as anybody else, as one who leaves and comes back does.
FORMER_HOST: Final[ParticipantRole] = "participant"
# Whose role changes while it is told is told anew; whoever changes it tells it too, so that more than a few rounds are no help.
ROUNDS: Final = 5
Role = Literal["host", "co_host", "participant", "viewer"]


async def set_participant_role(world: World, session: Session, call_id: UUID, participant_id: UUID, role: Role) -> ParticipantResult:
    """The host gives someone a role, in the row and in the room. `host` hands the call on: there is exactly one, before and after.

    Refuses with NotAllowed (not the host; a host who would leave the call without one), NotFound (no such participant here), InvalidInput
    (`host` for one who is not in the call). A media server that does not answer is told by the reconciler.
    """
    async with world.transaction("set_participant_role.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me, other = _host(access), access.other(participant_id)
        _check(me, other, role)
        if role == "host" and other.id != me.id:
            await _give(tx, access, me, FORMER_HOST)
        await _give(tx, access, other, role)
    if other.role != role:
        await _tell(world, call_id, participant_id)
    return ParticipantResult(call_id, participant_id)


def _host(access: CallAccess) -> Participant:
    me = access.seated()
    if me.role != "host":
        raise NotAllowed("Only the host gives roles.")
    return me


def _check(me: Participant, other: Participant, role: Role) -> None:
    if other.id == me.id and role != "host":
        raise NotAllowed("Make someone else host first.")
    if role == "host" and not other.seated:
        raise InvalidInput("That participant is not in the call.")


async def _give(tx: Transaction, access: CallAccess, who: Participant, role: ParticipantRole) -> None:
    """Under the call's lock; nothing for who has the role already. A viewer's screen share is over with the right to it."""
    values: dict[str, object] = {"role": role} | ({"screen_share_asked_at": None} if role == "viewer" else {})
    row = sa.update(call_participants).where(call_participants.c.id == who.id, call_participants.c.role != role)
    if (await tx.connection.execute(row.values(values).returning(call_participants.c.id))).first() is None:
        return
    events.changed(tx, access.call.id)
    await events.append(tx, access.call.id, "role_changed", access.user_id, {"from": who.role, "to": role}, who.id)


async def _tell(world: World, call_id: UUID, participant_id: UUID) -> None:
    """Gives the participant in the room the rights of the row, and looks again: of two changes the later one is told last."""
    told: ParticipantRole | None = None
    for _ in range(ROUNDS):
        async with world.transaction("set_participant_role.tell") as tx:
            call = await lock_call(tx, call_id)
            who = await participant(tx, participant_id)
        if call is None or call.ended or not who.seated or who.role == told:
            return
        told = who.role
        try:
            await world.rooms.set_grant(call.room_name, who.identity, grant_for(call, who))
        except MediaError as error:
            log.warning("role_not_told", room=call.room_name, error=str(error))
            return
