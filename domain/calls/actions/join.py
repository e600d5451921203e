"""Coming into a call that runs, and a fresh token for who is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.calls.access import CallAccess, access_call
from domain.calls.actions.lobby import must_wait, wait_in_lobby
from domain.calls.actions.results import TicketResult
from domain.calls.leaving import Departure, after_departures, leave_elsewhere
from domain.calls.ringing import invite
from domain.calls.rows import Participant, participant, roster
from domain.calls.seats import await_connection, renew_seat, require_invited, require_seat, take_seat
from domain.calls.tickets import Ticket, issue
from domain.world import Transaction, World
from permissions.session import Session


@dataclass(frozen=True, slots=True)
class JoinResult:
    """`participant_ids` are all participants of the call, the caller among them, longest in the call first.

    `ticket` is None for one who waits in the lobby.
    """

    call_id: UUID
    participant_id: UUID
    room_name: str
    ticket: Ticket | None
    participant_ids: Sequence[UUID]


async def join_call(world: World, session: Session, call_id: UUID) -> JoinResult:
    """The caller comes in: ringing counts as accepting, being in it already moves the call to this device. A call held elsewhere is left.

    Or waits in the call's lobby, without a ticket and still in the call held elsewhere. For who was invited and for members of the call's
    channel (NotAllowed for others). Refuses with CallNotStarted, CallFull, ConsentNeeded, RateLimited.
    """
    await world.limiter.hit("token", str(session.user_id))
    async with world.transaction("join_call.write") as tx:
        access = await access_call(tx, world, session, call_id, entering=True)
        access.require_started()
        await require_invited(access)
        departures: list[Departure] = []
        if must_wait(access):
            joined = await _result(tx, access, await wait_in_lobby(tx, access), None)
        else:
            require_seat(access)
            me = await _seat(tx, access)
            departures = await leave_elsewhere(tx, access.elsewhere, me.user_id, access.now)
            joined = await _result(tx, access, me.id, await issue(tx, world, access.call, me))
    await after_departures(world, departures)
    return joined


async def refresh_call_token(world: World, session: Session, call_id: UUID) -> TicketResult:
    """A fresh ticket for a caller who is in the call. Refuses with NotAllowed, ConsentNeeded, RateLimited."""
    await world.limiter.hit("token", str(session.user_id))
    async with world.transaction("refresh_call_token.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = access.seated()
        await renew_seat(tx, me.id, access.now)
        return TicketResult(call_id, me.id, await issue(tx, world, access.call, me))


async def _result(tx: Transaction, access: CallAccess, participant_id: UUID, ticket: Ticket | None) -> JoinResult:
    ids = [one.id for one in (await roster(tx, access.call.id)).participants]
    return JoinResult(access.call.id, participant_id, access.call.room_name, ticket, ids)


async def _seat(tx: Transaction, access: CallAccess) -> Participant:
    if access.me is not None and access.me.seated:
        await renew_seat(tx, access.me.id, access.now)
        await await_connection(tx, access.me.id, access.now)
        return access.me
    participant_id = access.me.id if access.me else (await invite(tx, access.call.id, [access.user_id], access.now))[0]
    await take_seat(tx, access.call, participant_id, access.user_id, now=access.now)
    return await participant(tx, participant_id)
