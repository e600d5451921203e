"""Starting a call that was written down before, through the table."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import sqlalchemy as sa

from domain.call_settings.manners import Manners, Wishes, manners_of, settled
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.initiate import InitiateResult, allowed_targets, answer, gather
from domain.calls.leaving import Departure, after_departures, leave_elsewhere
from domain.calls.opening import open_call
from domain.calls.rows import COLUMNS, Call
from domain.errors import NotAllowed
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.calls import calls


async def start_scheduled_call(
    world: World, session: Session, call_id: UUID, target_ids: Sequence[UUID] = (), wishes: Wishes | None = None
) -> InitiateResult:
    """The initiator starts a call that waits: from here on it goes as initiateCall does, and a repeated request answers with the call.

    Refuses with RateLimited, NotAllowed (not the initiator), InvalidInput (neither target nor channel, too many people, oneself,
    laxer manners than the channel's or the call's own, recording where the deployment records nothing), NotFound
    (a channel that the caller is no longer in, a person without a common channel), MediaUnavailable (the call has ended `failed` then).
    """
    await world.limiter.hit("initiate", str(session.user_id))
    async with world.transaction("start_scheduled_call.write") as tx:
        access = await access_call(tx, world, session, call_id, entering=True)
        if access.user_id != access.call.initiator_id:
            raise NotAllowed("Only who wrote the call down can start it.")
        call, departures = access.call, list[Departure]()
        # Its host's row says that somebody has begun to start it.
        if call.status == "initiated" and access.me is None:
            call = await _begin(tx, world, access, target_ids, wishes or Wishes())
            if not call.ended:
                departures = await leave_elsewhere(tx, access.elsewhere, access.user_id, access.now)
    await after_departures(world, departures)
    if call.status == "initiated":
        await open_call(world, call)
    return await answer(world, call_id, access.user_id)


async def _begin(tx: Transaction, world: World, access: CallAccess, target_ids: Sequence[UUID], wishes: Wishes) -> Call:
    targets = await allowed_targets(tx, world, access.user_id, target_ids, access.call.channel_id)
    manners = settled(world, await _floor(tx, world, access.call), wishes, e2ee=access.call.e2ee)
    # What the table could not know: the deployment's limit, and since when somebody waits for the room.
    begun = sa.update(calls).where(calls.c.id == access.call.id, calls.c.status == "initiated")
    values = {"max_participants": world.limits.max_participants, "status_since": access.now, **asdict(manners)}
    row = (await tx.connection.execute(begun.values(values).returning(*COLUMNS))).one()
    return await gather(tx, Call.of(row), targets, host=access.user_id, now=access.now)


async def _floor(tx: Transaction, world: World, call: Call) -> Manners:
    """As strict as the channel is now, and as an administrator wrote the call down."""
    channels = await manners_of(tx, world, call.channel_id)
    return channels.with_those(Manners(call.auto_record, call.recording_consent)) if world.records else channels
