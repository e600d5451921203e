"""Where a stream is watched by everybody who may: addresses that nobody signed, and what a page needs to show it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.world import Transaction, World
from permissions.session import Session

# What stands in place of a signature where none is needed: many players go by the end of the name.
UNSIGNED: Final = "public.m3u8"
UNSIGNED_DASH: Final = "public.mpd"
SHOWN: Final = sa.text("""
    SELECT hls_url, dash_url, nchat_streams_embed_code(stream, CAST(:session AS json)) AS embed_code
    FROM nchat_streams AS stream WHERE id = :id
""")


@dataclass(frozen=True, slots=True)
class StreamAddresses:
    """`hls_url` and `dash_url` answer for public streams only."""

    hls_url: str | None = None
    dash_url: str | None = None
    embed_code: str | None = None


def hls_url(world: World, stream_id: UUID) -> str:
    """The address that nobody signed."""
    return f"{world.public_url}/media/stream/{stream_id}/{UNSIGNED}"


async def addresses_of(tx: Transaction, session: Session, stream_id: UUID) -> StreamAddresses:
    """Those of a stream that this person started."""
    row = (await tx.connection.execute(SHOWN, {"id": stream_id, "session": session.as_argument()})).one()
    return StreamAddresses(**row._mapping)
