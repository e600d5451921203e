"""Pushes for devices that are not connected: written with the change itself, sent by a job."""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

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
    receiver = sa.func.unnest(sa.bindparam("receivers", list(user_ids), sa.ARRAY(sa.UUID))).table_valued("id")
    pushes = (
        sa.select(receiver.c.id, sa.literal(kind, sa.Text), payload)
        .select_from(calls.join(users, users.c.id == calls.c.initiator_id), receiver)
        .where(calls.c.id == call_id)
    )
    await tx.connection.execute(sa.insert(push_outbox).from_select(["user_id", "kind", "payload"], pushes))
