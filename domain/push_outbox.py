"""Pushes for devices that are not connected: written with the change itself, sent by a job."""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import Transaction
from schema.tables.calls import calls
from schema.tables.push_outbox import push_outbox
from schema.tables.users import users

RingPush = Literal["ring", "cancel", "missed", "answered_elsewhere"]


async def enqueue(tx: Transaction, call_id: UUID, user_ids: Collection[UUID], kind: RingPush) -> None:
    """One push to each user about the call: what CallKit shows (`uuid` the call, `handle` the caller's username)."""
    if not user_ids:
        return
    payload = sa.func.jsonb_build_object(
        "uuid", calls.c.id, "handle", users.c.username, "hasVideo", calls.c.type == "video",
        "callerDisplayName", users.c.display_name, "callerImageUrl", users.c.avatar_url,
    )  # fmt: skip
    receivers = sa.func.unnest(sa.literal(list(user_ids), pg.ARRAY(pg.UUID())))
    caller = calls.join(users, users.c.id == calls.c.initiator_id)
    pushes = sa.select(receivers, sa.literal(kind, sa.Text), payload).select_from(caller).where(calls.c.id == call_id)
    await tx.connection.execute(sa.insert(push_outbox).from_select(["user_id", "kind", "payload"], pushes))
