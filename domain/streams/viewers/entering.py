"""Viewers in the room of their stream: whether a session may be there at this moment (it watches, by WebRTC), and its way in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import MediaUnavailable
from domain.ports import VIEWER, Grant, MediaError
from domain.streams.opening import EMPTY_TIMEOUT, NO_LIMIT
from domain.streams.rows import Stream
from domain.streams.viewers.rows import WATCHES, identity
from domain.world import Transaction, World
from schema.tables.call_participants import call_participants
from schema.tables.stream_viewers import stream_viewers as viewers
from schema.tables.streams import streams

_SHOWN: Final = streams.alias("shown")
_OUT: Final = call_participants.alias("out")
# A condition on a session: the stream shows a call from which its viewer was removed, and with it its room.
KICKED: Final = sa.exists().where(
    _SHOWN.c.id == viewers.c.stream_id,
    _OUT.c.call_id == _SHOWN.c.call_id,
    _OUT.c.user_id == viewers.c.user_id,
    _OUT.c.status == "kicked",
)
MAY_BE_INSIDE: Final = sa.and_(WATCHES, viewers.c.webrtc, ~KICKED)
_INSIDE: Final = sa.select(viewers.c.id).where(MAY_BE_INSIDE, viewers.c.id == sa.any_(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID()))))
# A viewer is no person of the room: nobody sees that one is there, and nothing is heard of one.
WATCHES_ONLY: Final = Grant(sources=(), subscribe=True, data=False, audience=True)


@dataclass(frozen=True, slots=True)
class ViewerTicket:
    """A viewer's way into the stream's room: `token` lets one session in until `expires_at`."""

    token: str
    server_url: str
    expires_at: datetime


async def kicked(tx: Transaction, stream_id: UUID, people: Collection[UUID]) -> frozenset[UUID]:
    """Those of these people who were removed from the call that the stream shows: its room is the call's."""
    if not people:
        return frozenset()
    theirs = (_OUT.c.user_id == sa.any_(sa.literal(list(people), pg.ARRAY(pg.UUID()))), _OUT.c.status == "kicked")
    out = sa.select(_OUT.c.user_id).join(_SHOWN, _SHOWN.c.call_id == _OUT.c.call_id).where(_SHOWN.c.id == stream_id, *theirs)
    return frozenset((await tx.connection.execute(out)).scalars())


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


async def ticket_again(tx: Transaction, world: World, stream: Stream, user_id: UUID) -> ViewerTicket | None:
    """A fresh ticket for the person's session that watches by WebRTC, the latest of several; None for who has none.

    Raises MediaUnavailable.
    """
    theirs = sa.select(viewers.c.id).where(viewers.c.stream_id == stream.id, viewers.c.user_id == user_id, MAY_BE_INSIDE)
    viewer_id = await tx.connection.scalar(theirs.order_by(viewers.c.joined_at.desc(), viewers.c.id).limit(1))
    return None if viewer_id is None else ticket(world, stream.room_name, stream.call_id, viewer_id)


def ticket(world: World, room_name: str, call_id: UUID | None, viewer_id: UUID) -> ViewerTicket:
    """Into the stream's room, which is its call's for a broadcast. Signs locally; raises MediaUnavailable where the deployment has no
    media server."""
    try:
        signed = world.tokens.sign(
            room=room_name,
            identity=identity(viewer_id),
            name="",
            grant=WATCHES_ONLY,
            max_participants=NO_LIMIT if call_id is None else world.limits.max_participants,
            empty_timeout=EMPTY_TIMEOUT if call_id is None else None,
        )
    except MediaError as error:
        raise MediaUnavailable from error
    return ViewerTicket(signed.token, world.server_url, signed.expires_at)
