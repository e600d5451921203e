"""The lobby: who joins a call that has one waits outside until a host decides."""

from uuid import UUID

import sqlalchemy as sa

from domain.calls import events
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.results import ParticipantResult
from domain.calls.life_cycle import move_participant
from domain.calls.ringing import invite
from domain.errors import InvalidInput
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.call_participants import call_participants


def must_wait(access: CallAccess) -> bool:
    """Whether the caller, who wants to come in, stands before the lobby's door.

    Who was let in once walks in: by a ring, an admission, or because they were connected already (a lost connection is no new guest). So
    does who hosts.
    """
    me = access.me
    if not access.call.lobby:
        return False
    if me is None:
        return True
    if me.role in ("host", "co_host") or me.joined_at is not None:
        return False
    return me.waiting or me.status == "left"


async def wait_in_lobby(tx: Transaction, access: CallAccess) -> UUID:
    """The caller's row, `invited` and waiting; who waits already goes on waiting, since when they came. Returns its id."""
    me, call_id = access.me, access.call.id
    if me is not None and me.waiting:
        return me.id
    if me is None:
        participant_id = (await invite(tx, call_id, [access.user_id], access.now))[0]
        waits = sa.update(call_participants).where(call_participants.c.id == participant_id)
        await tx.connection.execute(waits.values(lobby_waiting_since=access.now))
    else:
        participant_id = me.id
        await move_participant(tx, participant_id, "invited", now=access.now, lobby_waiting_since=access.now)
    await events.append(tx, call_id, "lobby_waiting", access.user_id, {}, participant_id)
    return participant_id


async def admit_to_call(world: World, session: Session, call_id: UUID, participant_id: UUID) -> ParticipantResult:
    """A host or co-host lets someone in who waits: their next joinCall gives the token. Who is let in already stays so.

    Refuses with NotAllowed, NotFound (no such participant here), InvalidInput (gave up, was refused or removed meanwhile).
    """
    async with world.transaction("admit_to_call.write") as tx:
        access = await access_call(tx, world, session, call_id)
        host = access.hosting()
        other = access.other(participant_id)
        if other.status in ("left", "kicked"):
            raise InvalidInput("That participant does not wait to be let in.")
        waiting = (call_participants.c.id == other.id, call_participants.c.lobby_waiting_since.is_not(None))
        admitted = sa.update(call_participants).where(*waiting).values(lobby_waiting_since=None)
        if (await tx.connection.execute(admitted.returning(call_participants.c.id))).first() is not None:
            events.changed(tx, call_id)
            await events.append(tx, call_id, "lobby_admitted", host.user_id, {}, other.id)
        return ParticipantResult(call_id, participant_id)


async def deny_from_lobby(world: World, session: Session, call_id: UUID, participant_id: UUID) -> ParticipantResult:
    """A host or co-host refuses someone who waits: invited → left(`denied`); they may ask again. Denying twice is denying once.

    Refuses with NotAllowed, NotFound (no such participant here), InvalidInput (is not waiting).
    """
    async with world.transaction("deny_from_lobby.write") as tx:
        access = await access_call(tx, world, session, call_id)
        host = access.hosting()
        other = access.other(participant_id)
        if other.waiting:
            await move_participant(tx, other.id, "left", now=access.now, leave_reason="denied")
            await events.append(tx, call_id, "lobby_denied", host.user_id, {}, other.id)
        elif (other.status, other.leave_reason) != ("left", "denied"):
            raise InvalidInput("That participant does not wait to be let in.")
        return ParticipantResult(call_id, participant_id)
