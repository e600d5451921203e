"""What every action on a call asks first: who may see the call, who was removed from it, and whether it still lives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.rows import Call, Participant, Roster, lock_call, lock_seats, roster
from domain.errors import CallEnded, CallNotStarted, InvalidInput, NotAllowed, NotFound, ParticipantKicked
from domain.world import Transaction, World
from permissions.session import Session
from schema.model import TableName
from schema.tables.calls import calls
from schema.tables.users import users

CALLS: Final = TableName("public", calls.name)


@dataclass(frozen=True, slots=True)
class CallAccess:
    """A caller's access to a locked, living call. `me` is None for one who may see the call without taking part."""

    tx: Transaction
    call: Call
    roster: Roster
    me: Participant | None
    user_id: UUID
    session: Session
    now: datetime
    # Where else the caller holds a seat; known and locked only for one who enters.
    elsewhere: Sequence[Call] = ()

    def require_started(self) -> None:
        """CallNotStarted for a call that was written and has not rung: nobody takes part yet, not even its initiator."""
        if self.call.status == "initiated":
            raise CallNotStarted

    def seated(self) -> Participant:
        """The caller as someone who is in the call; NotAllowed for everyone else."""
        if self.me is None or not self.me.seated:
            raise NotAllowed("You are not in this call.")
        return self.me

    def hosting(self) -> Participant:
        """The caller as host or co-host who is in the call; NotAllowed for everyone else."""
        me = self.seated()
        if me.role not in ("host", "co_host"):
            raise NotAllowed
        return me

    def other(self, participant_id: UUID) -> Participant:
        """A participant of this call by id; NotFound for any other id."""
        found = self.roster.by_id(participant_id)
        if found is None:
            raise NotFound
        return found


async def access_call(tx: Transaction, world: World, session: Session, call_id: UUID, *, entering: bool = False) -> CallAccess:
    """Locks the call for the caller; whoever may not see it can't tell it from one that does not exist.

    With `entering` the caller means to take a seat, and the calls of other seats are locked as well.
    Refuses in this order: NotFound (absent or hidden), ParticipantKicked, CallEnded. Role and state are the action's to check.
    """
    user_id = session.user_id
    if not await is_visible(tx, world, session, call_id):
        raise NotFound
    locked = await lock_seats(tx, user_id, call_id) if entering else [one for one in [await lock_call(tx, call_id)] if one]
    call = next((one for one in locked if one.id == call_id), None)
    if call is None:
        raise NotFound
    present = await roster(tx, call_id)
    me = present.of_user(user_id)
    if me is not None and me.status == "kicked":
        raise ParticipantKicked
    if call.ended:
        raise CallEnded
    elsewhere = [one for one in locked if one.id != call_id]
    return CallAccess(tx, call, present, me, user_id, session, world.clock.now(), elsewhere)


async def is_visible(tx: Transaction, world: World, session: Session, call_id: UUID) -> bool:
    """Whether the permission rules of the session's role show this call."""
    visible = sa.select(sa.literal(1)).where(calls.c.id == call_id, world.readable(session, CALLS, calls))
    found = await tx.connection.execute(visible)
    return found.first() is not None


async def known_user(tx: Transaction, session: Session) -> UUID:
    """The caller's id, after a look at `nchat_users`: a verified token may name someone who is not there (yet)."""
    user_id = session.user_id
    found = await tx.connection.execute(sa.select(users.c.id).where(users.c.id == user_id))
    if found.first() is None:
        raise InvalidInput("x-hasura-user-id names no known user.")
    return user_id
