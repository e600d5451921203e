"""Whether a session may be in the room of its stream at this moment: it watches, by WebRTC."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.ports import VIEWER
from domain.streams.viewers.rows import WATCHES
from domain.world import Transaction
from schema.tables.stream_viewers import stream_viewers as viewers

MAY_BE_INSIDE: Final = sa.and_(WATCHES, viewers.c.webrtc)
_INSIDE: Final = sa.select(viewers.c.id).where(MAY_BE_INSIDE, viewers.c.id == sa.any_(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID()))))


def viewer_id(identity: str) -> UUID | None:
    """The session of an identity in a room, in its one canonical spelling; None where it is none."""
    if not identity.startswith(VIEWER):
        return None
    text = identity.removeprefix(VIEWER)
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


async def uninvited(tx: Transaction, identities: Collection[str]) -> list[str]:
    """Those of these identities of viewers whose session is over, or was never let into a room: a token can't be revoked."""
    ids = {one: found for one in identities if (found := viewer_id(one)) is not None}
    rows = await tx.connection.execute(_INSIDE, {"ids": list(ids.values())}) if ids else ()
    inside = {row.id for row in rows}
    return [one for one in identities if ids.get(one) not in inside]
