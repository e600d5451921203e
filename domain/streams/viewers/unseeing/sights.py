"""What decides who may see a stream, as one short text: as long as it is the same, so are the answers of the rule.

It is read from the rows themselves, so that it does not matter who changed them, and whether anybody was told: a hash of everybody in the
channel costs less than asking for a hundred of them.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.streams.access import STREAMS
from domain.world import Readable, Transaction
from permissions.compiling.named import NamedColumn
from schema.model import TableName

SIGHTS: Final = sa.text("""
    SELECT stream.id, concat_ws(' ', stream.visibility, stream.status, stream.host_id, stream.channel_id,
        (SELECT sum(uuid_hash_extended(user_id, 0)) FROM nchat_channel_members WHERE channel_id = stream.channel_id), '/',
        (SELECT sum(uuid_hash_extended(user_id, 0)) FROM nchat_stream_invites WHERE stream_id = stream.id), '/',
        (SELECT sum(uuid_hash_extended(user_id, 0)) FROM nchat_stream_bans WHERE stream_id = stream.id AND lifted_at IS NULL), '/',
        (SELECT sum(uuid_hash_extended(user_id, 0)) FROM nchat_call_participants WHERE call_id = stream.call_id AND status = 'kicked')
    ) AS sight
    FROM nchat_streams AS stream WHERE stream.id = ANY(:ids)
""").bindparams(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID())))
# What it tells of; `lifted_at` as whether there is any, which is all that a rule without a clock can ask.
TOLD: Final[frozenset[NamedColumn]] = frozenset(
    {
        *((STREAMS, name) for name in ("id", "visibility", "status", "host_id", "channel_id")),
        (TableName("public", "nchat_channels"), "id"),
        *((TableName("public", "nchat_channel_members"), name) for name in ("channel_id", "user_id")),
        *((TableName("public", "nchat_stream_invites"), name) for name in ("stream_id", "user_id")),
        *((TableName("public", "nchat_stream_bans"), name) for name in ("stream_id", "user_id", "lifted_at")),
    }
)


async def sights(tx: Transaction, stream_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Of each stream, as it is now."""
    return {row.id: row.sight for row in await tx.connection.execute(SIGHTS, {"ids": list(stream_ids)})}


def tells_all(readable: Readable, roles: Sequence[str]) -> bool:
    """Whether the rules of these roles ask for nothing else: a deployment may have rules of its own."""
    return all(readable.named(role, STREAMS) <= TOLD for role in roles)
