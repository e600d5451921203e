"""A host's ticket into the room of an own stream."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from domain.errors import MediaUnavailable
from domain.ports import Grant, MediaError
from domain.streams.opening import EMPTY_TIMEOUT, NO_LIMIT
from domain.streams.rows import Stream
from domain.world import Transaction, World
from schema.tables.users import users

HOST: Final = Grant(sources=("camera", "microphone", "screen_share", "screen_share_audio"), subscribe=True, data=True)


@dataclass(frozen=True, slots=True)
class HostTicket:
    """`token` lets the host into the stream's room until `expires_at`."""

    token: str
    server_url: str
    expires_at: datetime


async def issue(tx: Transaction, world: World, stream: Stream) -> HostTicket:
    """A fresh ticket. Signs locally; nothing is asked of the media server. MediaUnavailable where the deployment has none."""
    name = sa.select(sa.func.coalesce(users.c.display_name, users.c.username)).where(users.c.id == stream.host_id)
    named: str = (await tx.connection.execute(name)).scalar_one()
    try:
        signed = world.tokens.sign(
            room=stream.room_name,
            identity=str(stream.host_id),
            name=named,
            grant=HOST,
            max_participants=NO_LIMIT,
            empty_timeout=EMPTY_TIMEOUT,
        )
    except MediaError as error:
        raise MediaUnavailable from error
    return HostTicket(signed.token, world.server_url, signed.expires_at)
