"""Ringing people: who may be rung, who is busy, the ring itself, and its end."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain import push_outbox
from domain.call_settings.ring_limits import unreachable
from domain.calls import events
from domain.calls.life_cycle import move_participant, move_participants
from domain.calls.rows import Participant
from domain.errors import InvalidInput, NotFound
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls
from schema.tables.channels import channel_members
from schema.tables.users import users

# However many they are, one statement.
INVITE: Final = sa.text("""
    INSERT INTO nchat_call_participants (call_id, user_id, role, status, status_since, invited_at, consented_at)
    SELECT CAST(:call AS uuid), user_id, CAST(role AS participant_role), CAST(status AS participant_status), CAST(:now AS timestamptz),
        CAST(:now AS timestamptz), CASE WHEN role = 'host' THEN CAST(:consented AS timestamptz) END
    FROM unnest(CAST(:users AS uuid[]), CAST(:roles AS text[]), CAST(:states AS text[])) AS one (user_id, role, status)
    RETURNING id, user_id
""")


def distinct_targets(caller_id: UUID, target_ids: Sequence[UUID]) -> list[UUID]:
    """The people to ring, each once, in the order given; nobody rings oneself (InvalidInput)."""
    if caller_id in target_ids:
        raise InvalidInput("You can't call yourself.")
    return list(dict.fromkeys(target_ids))


async def require_member(tx: Transaction, user_id: UUID, channel_id: UUID) -> None:
    """NotFound unless the user belongs to the channel: a foreign and a made-up channel look the same."""
    member = sa.select(sa.literal(1)).where(channel_members.c.channel_id == channel_id, channel_members.c.user_id == user_id)
    if (await tx.connection.execute(member)).first() is None:
        raise NotFound


async def require_reachable(tx: Transaction, caller_id: UUID, target_ids: Collection[UUID], channel_id: UUID | None) -> None:
    """NotFound unless each target shares a channel with the caller or is in the call's: a stranger and nobody look the same."""
    if not target_ids:
        return
    mine, theirs = channel_members.alias("mine"), channel_members.alias("theirs")
    shared = theirs.c.channel_id.in_(sa.select(mine.c.channel_id).where(mine.c.user_id == caller_id))
    met = shared if channel_id is None else sa.or_(shared, theirs.c.channel_id == channel_id)
    reachable = sa.select(sa.func.count()).select_from(users).where(
        users.c.id == sa.any_(sa.literal(list(target_ids), pg.ARRAY(pg.UUID()))),
        sa.exists().where(theirs.c.user_id == users.c.id, met),
    )  # fmt: skip
    if (await tx.connection.execute(reachable)).scalar_one() != len(target_ids):
        raise NotFound


async def is_busy(tx: Transaction, user_id: UUID) -> bool:
    """Busy: connecting or connected in a call that lives."""
    elsewhere = (
        sa.select(sa.literal(1))
        .select_from(call_participants.join(calls, calls.c.id == call_participants.c.call_id))
        .where(
            call_participants.c.user_id == user_id,
            call_participants.c.status.in_(("connecting", "connected")),
            calls.c.status != "ended",
        )
    )
    return (await tx.connection.execute(elsewhere.limit(1))).first() is not None


async def invite(
    tx: Transaction, call_id: UUID, user_ids: Sequence[UUID], now: datetime, *, host: UUID | None = None, host_consents: bool = False
) -> list[UUID]:
    """Participant rows `invited` for people who have none in this call yet; returns the new rows' ids, in the order given.

    With `host` the call's first row is written with them: the host, `connecting`, who agrees to being recorded with `host_consents`.
    """
    hosts = [] if host is None else [host]
    if not (people := [*hosts, *user_ids]):
        return []
    columns = {
        "call": call_id,
        "users": people,
        "roles": ["host"] * len(hosts) + ["participant"] * len(user_ids),
        "states": ["connecting"] * len(hosts) + ["invited"] * len(user_ids),
        "now": now,
        "consented": now if host_consents else None,
    }
    ids = {row.user_id: row.id for row in await tx.connection.execute(INVITE, columns)}
    events.changed(tx, call_id)
    return [ids[user_id] for user_id in user_ids]


async def ring(tx: Transaction, call_id: UUID, participant_ids: Sequence[UUID], *, actor_id: UUID, now: datetime) -> list[UUID]:
    """invited or left → ringing for each of them that can, with `call_incoming` and a push; returns those that ring now.

    Who does not want to be rung by the actor has missed the call at once (`miss_unreachable`).
    """
    missed = await miss_unreachable(tx, call_id, participant_ids, actor_id=actor_id, now=now)
    reachable = [one for one in participant_ids if one not in missed]
    rung = await move_participants(tx, reachable, "ringing", now=now) if reachable else []
    for one in rung:
        await events.append(tx, call_id, "call_incoming", actor_id, {}, one.participant_id)
    await push_outbox.enqueue(tx, call_id, [one.user_id for one in rung], "ring")
    return [one.participant_id for one in rung]


async def miss_unreachable(tx: Transaction, call_id: UUID, participant_ids: Sequence[UUID], *, actor_id: UUID, now: datetime) -> set[UUID]:
    """invited → left(`missed`) for those who may not be rung: for the caller as if nobody had answered, for them no ring and no push.

    Returns them all, also those who are out already, who stay out.
    """
    found = await unreachable(tx, participant_ids, actor_id, now) if participant_ids else set()
    silent = [one for one in participant_ids if one in found]
    for one in await move_participants(tx, silent, "left", now=now, leave_reason="missed") if silent else []:
        await events.append(tx, call_id, "call_participant_left", None, {"reason": "missed"}, one.participant_id)
    return found


async def end_ring(tx: Transaction, participant: Participant, leave_reason: str, *, now: datetime) -> None:
    """A ring that nobody took: ringing → left, with the push that silences the devices (`missed`, otherwise `cancel`)."""
    if await move_participant(tx, participant.id, "left", now=now, leave_reason=leave_reason):
        await push_outbox.enqueue(tx, participant.call_id, [participant.user_id], "missed" if leave_reason == "missed" else "cancel")
