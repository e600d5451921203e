"""Pushes for devices that are not connected: written with the change itself, sent by a job."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import Transaction

RingPush = Literal["ring", "cancel", "missed", "answered_elsewhere"]


@dataclass(frozen=True, slots=True)
class _Noted:
    call_id: UUID
    user_id: UUID
    kind: RingPush


# What CallKit shows: `uuid` is the call, `handle` the caller's username.
WRITE: Final = sa.text("""
    INSERT INTO nchat_push_outbox (user_id, kind, payload)
    SELECT noted.user_id, noted.kind, jsonb_build_object(
        'uuid', calls.id, 'handle', caller.username, 'hasVideo', calls.type = 'video',
        'callerDisplayName', caller.display_name, 'callerImageUrl', caller.avatar_url)
    FROM unnest(:calls, :users, :kinds) AS noted (call_id, user_id, kind)
    JOIN nchat_calls AS calls ON calls.id = noted.call_id
    JOIN nchat_users AS caller ON caller.id = calls.initiator_id
""").bindparams(
    sa.bindparam("calls", type_=pg.ARRAY(pg.UUID())),
    sa.bindparam("users", type_=pg.ARRAY(pg.UUID())),
    sa.bindparam("kinds", type_=pg.ARRAY(sa.Text)),
)


async def enqueue(tx: Transaction, call_id: UUID, user_ids: Collection[UUID], kind: RingPush) -> None:
    """One push to each user about the call, written with the transaction's others before the commit."""
    for user_id in user_ids:
        tx.note(_write, _Noted(call_id, user_id, kind))


async def _write(tx: Transaction, noted: Sequence[_Noted]) -> None:
    columns = {
        "calls": [one.call_id for one in noted],
        "users": [one.user_id for one in noted],
        "kinds": [one.kind for one in noted],
    }
    await tx.connection.execute(WRITE, columns)
