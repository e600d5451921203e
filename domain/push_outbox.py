"""Pushes for devices that are not connected: written with the change itself, sent by a job."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import Transaction
from schema.tables.push_outbox import push_outbox

# Who delivers them hears of new ones here.
TOPIC: Final = f"table:{push_outbox.name}"
RingPush = Literal["ring", "cancel", "missed", "answered_elsewhere"]


@dataclass(frozen=True, slots=True)
class _Noted:
    call_id: UUID
    user_id: UUID
    kind: RingPush


# How long devices are told what became of a ring, while the push service takes nothing.
ALERTS_LIVE: Final = timedelta(hours=4)

# What CallKit shows: `uuid` is the call, `handle` the caller's username. A person hears the newest of a call: what waits from before is
# never delivered, or a ring could come after its end. The person's row, written by the same transaction, says since when it is so.
WRITE: Final = sa.text("""
    WITH noted AS (
        SELECT DISTINCT ON (noted.call_id, noted.user_id) noted.call_id, noted.user_id, noted.kind, people.status_since AS at
        FROM unnest(:calls, :users, :kinds) WITH ORDINALITY AS noted (call_id, user_id, kind, place)
        JOIN nchat_call_participants AS people ON people.call_id = noted.call_id AND people.user_id = noted.user_id
        ORDER BY noted.call_id, noted.user_id, noted.place DESC
    ), replaced AS (
        UPDATE nchat_push_outbox AS earlier SET expires_at = least(earlier.expires_at, noted.at)
        FROM noted WHERE earlier.collapse_id = noted.call_id AND earlier.user_id = noted.user_id AND earlier.sent_at IS NULL
    )
    INSERT INTO nchat_push_outbox (user_id, kind, transport, next_attempt_at, expires_at, collapse_id, payload)
    SELECT noted.user_id, noted.kind, CASE noted.kind WHEN 'ring' THEN 'voip' ELSE 'alert' END, noted.at,
        noted.at + CASE noted.kind WHEN 'ring' THEN make_interval(secs => calls.ring_timeout_seconds) ELSE :alerts_live END,
        calls.id, jsonb_build_object(
            'uuid', calls.id, 'handle', caller.username, 'hasVideo', calls.type = 'video',
            'callerDisplayName', caller.display_name, 'callerImageUrl', caller.avatar_url)
    FROM noted
    JOIN nchat_calls AS calls ON calls.id = noted.call_id
    JOIN nchat_users AS caller ON caller.id = calls.initiator_id
""").bindparams(
    sa.bindparam("alerts_live", ALERTS_LIVE, type_=sa.Interval),
    sa.bindparam("calls", type_=pg.ARRAY(pg.UUID())),
    sa.bindparam("users", type_=pg.ARRAY(pg.UUID())),
    sa.bindparam("kinds", type_=pg.ARRAY(sa.Text)),
)


async def enqueue(tx: Transaction, call_id: UUID, user_ids: Collection[UUID], kind: RingPush) -> None:
    """One push to each user about the call, written with the transaction's others before the commit.

    A ring lives as long as the call lets it ring; each push takes the place of those of the same call that are not delivered yet.
    """
    for user_id in user_ids:
        tx.note(_write, _Noted(call_id, user_id, kind))


async def _write(tx: Transaction, noted: Sequence[_Noted]) -> None:
    columns = {
        "calls": [one.call_id for one in noted],
        "users": [one.user_id for one in noted],
        "kinds": [one.kind for one in noted],
    }
    await tx.connection.execute(WRITE, columns)
    tx.hint(TOPIC)
