"""Starting a call: written first, then its room, then it rings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.calls.access import known_user
from domain.calls.ending import end_for_all
from domain.calls.leaving import Departure, after_departures, leave_elsewhere
from domain.calls.life_cycle import move_participant
from domain.calls.opening import open_call
from domain.calls.ringing import distinct_targets, invite, is_busy, require_member, require_reachable
from domain.calls.rows import Call, CallType, lock_seats, roster
from domain.calls.tickets import Ticket, issue
from domain.errors import InvalidInput, NotFound, ParticipantKicked, TooManyCalls
from domain.input_checks import require_storable
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.calls import calls
from schema.tables.columns import METADATA_LIMIT_BYTES

LONGEST_RING: Final = 600
CHECK_VIOLATION: Final = "23514"


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What initiateCall asks for. `ring_timeout_seconds` is 1 to 600; null takes the table's default."""

    type: CallType
    target_user_ids: Sequence[UUID] = ()
    channel_id: UUID | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    e2ee: bool = False
    ring_timeout_seconds: int | None = None
    client_request_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class InitiateResult:
    """`participant_id` is the caller's; `ticket` is None for a call that has ended already: its single target was busy, or a repeated
    request came too late."""

    call_id: UUID
    participant_id: UUID
    room_name: str
    ticket: Ticket | None


async def initiate_call(world: World, session: Session, request: CallRequest) -> InitiateResult:
    """Starts a call as the caller, who leaves the one held elsewhere, or answers a repeated request (same client_request_id) with its call.

    Refuses with RateLimited, TooManyCalls, InvalidInput (neither target nor channel, too many people, oneself), NotFound (a channel that
    the caller is not in, a person without a common channel), MediaUnavailable (the call has ended `failed` then).
    """
    await world.limiter.hit("initiate", str(session.user_id))
    async with world.transaction("initiate_call.write") as tx:
        user_id = await known_user(tx, session)
        others = await lock_seats(tx, user_id)
        call, departures = await _started_before(tx, user_id, request), list[Departure]()
        if call is None:
            call = await _write(tx, world, user_id, request)
            if not call.ended:
                departures = await leave_elsewhere(tx, others, user_id, world.clock.now())
    await after_departures(world, departures)
    if call.status == "initiated":
        await open_call(world, call)
    return await _answer(world, call.id, user_id)


async def _started_before(tx: Transaction, user_id: UUID, request: CallRequest) -> Call | None:
    if request.client_request_id is None:
        return None
    same = (calls.c.initiator_id == user_id, calls.c.client_request_id == request.client_request_id)
    row = (await tx.connection.execute(sa.select(calls).where(*same))).first()
    return None if row is None else Call.of(row)


async def _write(tx: Transaction, world: World, user_id: UUID, request: CallRequest) -> Call:
    targets = distinct_targets(user_id, request.target_user_ids)
    _check(world, request, targets)
    if request.channel_id is not None:
        await require_member(tx, user_id, request.channel_id)
    await require_reachable(tx, user_id, targets, request.channel_id)
    call = await _insert(tx, world, user_id, request)
    if call is None:
        # Another request with the same id was faster; its row is committed, or the insert would still wait for it.
        earlier = await _started_before(tx, user_id, request)
        if earlier is None:
            raise NotFound
        return earlier
    now = world.clock.now()
    invited = await invite(tx, call.id, targets, now, host=user_id)
    if len(targets) == 1 and await is_busy(tx, targets[0]):
        await move_participant(tx, invited[0], "left", now=now, leave_reason="busy")
        await end_for_all(tx, call, "busy", actor_id=None, now=now)
        return await _reread(tx, call.id)
    return call


def _check(world: World, request: CallRequest, targets: Sequence[UUID]) -> None:
    if not targets and request.channel_id is None:
        raise InvalidInput("A call needs someone to ring or a channel.")
    if len(targets) + 1 > world.limits.max_participants:
        raise InvalidInput(f"A call has at most {world.limits.max_participants} participants.")
    if request.ring_timeout_seconds is not None and not 1 <= request.ring_timeout_seconds <= LONGEST_RING:
        raise InvalidInput(f"ringTimeoutSeconds is 1 to {LONGEST_RING}.")
    require_storable("metadata", request.metadata, METADATA_LIMIT_BYTES)


async def _insert(tx: Transaction, world: World, user_id: UUID, request: CallRequest) -> Call | None:
    values: dict[str, object] = {
        "initiator_id": user_id,
        "channel_id": request.channel_id,
        "type": request.type,
        "metadata": dict(request.metadata),
        "e2ee": request.e2ee,
        "client_request_id": request.client_request_id,
        "max_participants": world.limits.max_participants,
        "status_since": world.clock.now(),
        "created_at": world.clock.now(),
    }
    if request.ring_timeout_seconds is not None:
        values["ring_timeout_seconds"] = request.ring_timeout_seconds
    insert = pg.insert(calls).values(values).on_conflict_do_nothing(index_elements=["initiator_id", "client_request_id"])
    try:
        row = (await tx.connection.execute(insert.returning(*calls.c))).first()
    except sa.exc.IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == CHECK_VIOLATION:
            # The values were checked before: it is the limit of open calls, which PostgreSQL counts.
            raise TooManyCalls from error
        raise
    return None if row is None else Call.of(row)


async def _reread(tx: Transaction, call_id: UUID) -> Call:
    return Call.of((await tx.connection.execute(sa.select(calls).where(calls.c.id == call_id))).one())


async def _answer(world: World, call_id: UUID, user_id: UUID) -> InitiateResult:
    async with world.transaction("initiate_call.answer") as tx:
        call = await _reread(tx, call_id)
        # Whoever starts a call takes part in it, and rows of participants are never deleted.
        me = next(one for one in (await roster(tx, call_id)).participants if one.user_id == user_id)
        if me.status == "kicked":
            raise ParticipantKicked
        ticket = await issue(tx, world, call, me) if me.seated and not call.ended else None
        return InitiateResult(call.id, me.id, call.room_name, ticket)
