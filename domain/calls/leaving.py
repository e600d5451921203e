"""Someone leaves, of their own will or not: the last one out ends the call, a direct call ends with either, and the host hands it on.

With the call its broadcasts: whoever is out of it hosts none that runs, and the call's host hosts it instead.

One person is in one call at a time: whoever enters one leaves the other, as on a phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.calls import events
from domain.calls.ending import close_room_or_leave_it, end_for_all
from domain.calls.grants import grant_for
from domain.calls.life_cycle import move_participant
from domain.calls.presence import settle
from domain.calls.rows import Call, Participant, Roster, roster
from domain.ports import MediaError
from domain.world import Transaction, World
from schema.tables.call_participants import call_participants

log = structlog.get_logger(__name__)
# A host's id of a request is the former host's alone. Nobody is banned from what they host. The key of an encoder is known to whoever was
# told of it: the encoder goes with its owner, and LiveKit's ingress by its mark (`domain/streams/ingress/rounds.py`).
_PASS_BROADCASTS_ON: Final = sa.text("""
    WITH passed AS (
        UPDATE nchat_streams SET host_id = :heir, client_request_id = NULL
        WHERE call_id = :call AND host_id = :former AND host_id <> :heir AND (:also_over OR status IN ('starting', 'live', 'ending'))
        RETURNING id
    ), unbanned AS (
        UPDATE nchat_stream_bans AS ban SET lifted_at = :now FROM passed
        WHERE ban.stream_id = passed.id AND ban.user_id = :heir AND ban.lifted_at IS NULL
    ), retired AS (
        UPDATE nchat_stream_ingresses AS ingress SET retired_at = :now, publishing_since = NULL FROM passed
        WHERE ingress.stream_id = passed.id AND ingress.retired_at IS NULL RETURNING ingress.stream_id, ingress.identity
    )
    SELECT passed.id, retired.identity FROM passed LEFT JOIN retired ON retired.stream_id = passed.id
""")


@dataclass(frozen=True, slots=True)
class Left:
    """What someone's leaving brought about. `new_host` is who became host, as the row was before; `encoders` are the identities of
    those that sent to a broadcast on the person's behalf."""

    call_ended: bool = False
    new_host: Participant | None = None
    encoders: Sequence[str] = ()


async def leave(tx: Transaction, call: Call, who: Participant, reason: str, *, actor_id: UUID | None, now: datetime) -> Left:
    """seated → left with its event, and what follows for the call (lock held). `actor_id` is None when nobody chose it.

    Used alike for a person who leaves, a webhook that says so and a timeout. The caller runs `after_leaving` after the commit.
    """
    if await move_participant(tx, who.id, "left", now=now, leave_reason=reason) is None:
        return Left()
    await events.append(tx, call.id, "call_participant_left", actor_id, {"reason": reason}, who.id)
    present = await roster(tx, call.id)
    if not present.seated or (present.is_direct(call) and len(present.participants) == 2):
        return Left(call_ended=await end_for_all(tx, call, "completed", actor_id=actor_id, now=now))
    new_host = await pass_host_on(tx, call, who, present)
    heir = new_host or present.host
    encoders = await pass_broadcasts_on(tx, call, who.user_id, None if heir is None else heir.user_id, now=now)
    return Left(new_host=new_host, encoders=encoders)


async def pass_host_on(tx: Transaction, call: Call, former: Participant, present: Roster) -> Participant | None:
    """When a host is gone: the oldest co-host, else who has been connected longest, becomes host, so that there is exactly one."""
    if former.role != "host":
        return None
    new_host = successor_of(present)
    if new_host is None:
        return None
    for one, role in ((former, "participant"), (new_host, "host")):
        await tx.connection.execute(sa.update(call_participants).where(call_participants.c.id == one.id).values(role=role))
        await events.append(tx, call.id, "role_changed", None, {"from": one.role, "to": role}, one.id)
    return new_host


async def pass_broadcasts_on(
    tx: Transaction, call: Call, former: UUID, heir: UUID | None, *, now: datetime, also_over: bool = False
) -> Sequence[str]:
    """The broadcasts of a locked call that `former` hosts are `heir`'s from now on: those that run, with `also_over` all of them.

    What a host may do with a stream hangs on `host_id` alone, in the permission rules as in the actions: it is passed on as a whole.
    Returns the identities of the encoders that are to be taken out of the call's room. Passing on twice is passing on once.
    """
    if heir is None:
        return ()
    given = {"call": call.id, "former": former, "heir": heir, "now": now, "also_over": also_over}
    passed = (await tx.connection.execute(_PASS_BROADCASTS_ON, given)).all()
    for row in passed:
        tx.hint(f"stream:{row.id}")
        # The former host's right to follow the chat may have been the host's.
        tx.hint(f"stream_chat:{row.id}")
    if passed:
        tx.hint("table:nchat_streams")
        tx.hint("table:nchat_stream_bans")
        events.changed(tx, call.id)
    return [row.identity for row in passed if row.identity is not None]


def successor_of(present: Roster) -> Participant | None:
    """Who hosts next. The roster is ordered by age; a viewer hosts only when nobody else is left."""

    def rank(one: Participant) -> tuple[bool, bool, bool]:
        return one.role != "co_host", one.role == "viewer", one.status != "connected"

    return min(present.seated, key=rank, default=None)


async def after_leaving(world: World, call: Call, who: Participant, left: Left) -> None:
    """What LiveKit has to know, after the commit; the reconciler repairs what it does not hear."""
    if left.call_ended:
        await close_room_or_leave_it(world, call.room_name)
        return
    try:
        for identity in (who.identity, *left.encoders):
            await world.rooms.remove_participant(call.room_name, identity)
        await grant_host_rights(world, call, left.new_host)
    except MediaError as error:
        log.warning("leave_not_told", room=call.room_name, error=str(error))


async def grant_host_rights(world: World, call: Call, new_host: Participant | None) -> None:
    """A viewer who became host may publish now; everybody else could before. Raises MediaError."""
    if new_host is not None and new_host.role == "viewer":
        await world.rooms.set_grant(call.room_name, new_host.identity, grant_for(call, replace(new_host, role="host")))


@dataclass(frozen=True, slots=True)
class Departure:
    """A call that was left for another one, and what that brought about there."""

    call: Call
    who: Participant
    left: Left


async def leave_elsewhere(tx: Transaction, others: Sequence[Call], user_id: UUID, now: datetime) -> list[Departure]:
    """The person's seats in these other calls, all locked by `lock_seats`, are given up.

    The caller runs `after_departures` after the commit.
    """
    departures: list[Departure] = []
    for call in others:
        who = (await roster(tx, call.id)).of_user(user_id)
        if call.ended or who is None or not who.seated:
            continue
        left = await leave(tx, call, who, "user_left", actor_id=user_id, now=now)
        if not left.call_ended:
            await settle(tx, call, now=now)
        departures.append(Departure(call, who, left))
    return departures


async def after_departures(world: World, departures: Sequence[Departure]) -> None:
    """What LiveKit has to know; the reconciler repairs what it does not hear."""
    for departure in departures:
        await after_leaving(world, departure.call, departure.who, departure.left)
