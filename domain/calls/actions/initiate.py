"""Starting a call: written first, then its room, then it rings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.call_settings.manners import Manners, Wishes, manners_of, settled
from domain.calls.access import known_user
from domain.calls.ending import end_for_all
from domain.calls.leaving import Departure, after_departures, leave_elsewhere
from domain.calls.life_cycle import EndReason, move_participant
from domain.calls.opening import open_call
from domain.calls.ringing import distinct_targets, invite, is_busy, miss_unreachable, require_member, require_reachable
from domain.calls.rows import COLUMNS, Call, CallType, lock_seats, roster
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
    """What initiateCall asks for. `ring_timeout_seconds` is 1 to 600; null takes the table's default. `manners` may be stricter than the
    channel's, never laxer."""

    type: CallType
    target_user_ids: Sequence[UUID] = ()
    channel_id: UUID | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    e2ee: bool = False
    lobby: bool = False
    ring_timeout_seconds: int | None = None
    client_request_id: UUID | None = None
    manners: Wishes = field(default_factory=Wishes)


@dataclass(frozen=True, slots=True)
class InitiateResult:
    """`participant_id` is the caller's; `ticket` is None for a call that has ended already: its single target was busy or
    may not be rung, or a repeated request came too late."""

    call_id: UUID
    participant_id: UUID
    room_name: str
    ticket: Ticket | None


async def initiate_call(world: World, session: Session, request: CallRequest) -> InitiateResult:
    """Starts a call as the caller, who leaves the one held elsewhere, or answers a repeated request (same client_request_id) with its call.

    Refuses with RateLimited, TooManyCalls, InvalidInput (neither target nor channel, too many people, oneself, laxer manners than the
    channel's, recording where the deployment records nothing), NotFound (a channel that the caller is not in, a person without a common
    channel), MediaUnavailable (the call has ended `failed` then).
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
    return await answer(world, call.id, user_id)


async def _started_before(tx: Transaction, user_id: UUID, request: CallRequest) -> Call | None:
    if request.client_request_id is None:
        return None
    same = (calls.c.initiator_id == user_id, calls.c.client_request_id == request.client_request_id)
    row = (await tx.connection.execute(sa.select(*COLUMNS).where(*same))).first()
    return None if row is None else Call.of(row)


async def _write(tx: Transaction, world: World, user_id: UUID, request: CallRequest) -> Call:
    _check(request)
    targets = await allowed_targets(tx, world, user_id, request.target_user_ids, request.channel_id)
    manners = settled(world, await manners_of(tx, world, request.channel_id), request.manners, e2ee=request.e2ee)
    call = await _insert(tx, world, user_id, request, manners)
    if call is None:
        # Another request with the same id was faster; its row is committed, or the insert would still wait for it.
        earlier = await _started_before(tx, user_id, request)
        if earlier is None:
            raise NotFound
        return earlier
    return await gather(tx, call, targets, host=user_id, now=world.clock.now())


async def allowed_targets(
    tx: Transaction, world: World, user_id: UUID, target_ids: Sequence[UUID], channel_id: UUID | None
) -> Sequence[UUID]:
    """Whom a call of this person, in this channel, may begin with. Raises InvalidInput, NotFound."""
    targets = distinct_targets(user_id, target_ids)
    if not targets and channel_id is None:
        raise InvalidInput("A call needs someone to ring or a channel.")
    if len(targets) + 1 > world.limits.max_participants:
        raise InvalidInput(f"A call has at most {world.limits.max_participants} participants.")
    if channel_id is not None:
        await require_member(tx, user_id, channel_id)
    await require_reachable(tx, user_id, targets, channel_id)
    return targets


async def gather(tx: Transaction, call: Call, targets: Sequence[UUID], *, host: UUID, now: datetime) -> Call:
    """The call's first rows, of its host and of whom it will ring; a single target who is busy or may not be rung ends it.

    Who starts a call agrees to its being recorded. The call as it stands then.
    """
    invited = await invite(tx, call.id, targets, now, host=host, host_consents=call.recording_consent == "ask")
    reason = await _why_not_ring(tx, call, targets[0], invited[0], now) if len(targets) == 1 else None
    if reason is None:
        return call
    await end_for_all(tx, call, reason, actor_id=None, now=now)
    return await _reread(tx, call.id)


async def _why_not_ring(tx: Transaction, call: Call, user_id: UUID, participant_id: UUID, now: datetime) -> EndReason | None:
    """With which reason the call to a single target ends at once. Whether one who wants no rings is busy is nobody's business."""
    if await miss_unreachable(tx, call.id, [participant_id], actor_id=call.initiator_id, now=now):
        return "no_answer"
    if await is_busy(tx, user_id):
        await move_participant(tx, participant_id, "left", now=now, leave_reason="busy")
        return "busy"
    return None


def _check(request: CallRequest) -> None:
    if request.ring_timeout_seconds is not None and not 1 <= request.ring_timeout_seconds <= LONGEST_RING:
        raise InvalidInput(f"ringTimeoutSeconds is 1 to {LONGEST_RING}.")
    require_storable("metadata", request.metadata, METADATA_LIMIT_BYTES)


async def _insert(tx: Transaction, world: World, user_id: UUID, request: CallRequest, manners: Manners) -> Call | None:
    values: dict[str, object] = {
        "initiator_id": user_id,
        "channel_id": request.channel_id,
        "type": request.type,
        "metadata": dict(request.metadata),
        "e2ee": request.e2ee,
        "lobby": request.lobby,
        "auto_record": manners.auto_record,
        "recording_consent": manners.recording_consent,
        "client_request_id": request.client_request_id,
        "max_participants": world.limits.max_participants,
        "status_since": world.clock.now(),
        "created_at": world.clock.now(),
    }
    if request.ring_timeout_seconds is not None:
        values["ring_timeout_seconds"] = request.ring_timeout_seconds
    insert = pg.insert(calls).values(values).on_conflict_do_nothing(index_elements=["initiator_id", "client_request_id"])
    try:
        row = (await tx.connection.execute(insert.returning(*COLUMNS))).first()
    except sa.exc.IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == CHECK_VIOLATION:
            # The values were checked before: it is the limit of open calls, which PostgreSQL counts.
            raise TooManyCalls from error
        raise
    return None if row is None else Call.of(row)


async def _reread(tx: Transaction, call_id: UUID) -> Call:
    return Call.of((await tx.connection.execute(sa.select(*COLUMNS).where(calls.c.id == call_id))).one())


async def answer(world: World, call_id: UUID, user_id: UUID) -> InitiateResult:
    """What who started a call is told: the ticket, or none when the call is over or was left. Raises ParticipantKicked."""
    async with world.transaction("initiate_call.answer") as tx:
        call = await _reread(tx, call_id)
        # Whoever starts a call takes part in it, and rows of participants are never deleted.
        me = next(one for one in (await roster(tx, call_id)).participants if one.user_id == user_id)
        if me.status == "kicked":
            raise ParticipantKicked
        ticket = await issue(tx, world, call, me) if me.seated and not call.ended else None
        return InitiateResult(call.id, me.id, call.room_name, ticket)
