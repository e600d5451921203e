"""What every action on a stream asks first: who may see it, who is banned from it, and who hosts or moderates it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.call_settings.channels import MANAGERS
from domain.errors import Banned, NotAllowed, NotFound
from domain.streams.rows import COLUMNS, Stream, lock_stream
from domain.world import Transaction, World
from permissions.session import ADMIN, USER_ID, Session
from schema.model import TableName
from schema.tables.channels import channel_members
from schema.tables.streams import streams

STREAMS: Final = TableName("public", streams.name)
# Hasura's role that moderates every stream.
MODERATOR: Final = "moderator"


@dataclass(frozen=True, slots=True)
class StreamAccess:
    """A caller's access to a stream that the caller may see. `user_id` is None for one without a name: anonymous, or the admin secret."""

    tx: Transaction
    stream: Stream
    user_id: UUID | None
    # What the caller is in the stream's channel: owner, admin, moderator, member; None for no member.
    channel_role: str | None
    session: Session
    now: datetime

    @property
    def is_host(self) -> bool:
        return self.user_id == self.stream.host_id

    @property
    def moderates(self) -> bool:
        """Host, the role moderator or admin, or owner, admin or moderator of the channel."""
        return self.is_host or self.session.role in (ADMIN, MODERATOR) or self.channel_role in MANAGERS

    def hosting(self) -> "StreamAccess":
        """The same access for the host and the role admin; NotAllowed for everyone else."""
        if not (self.is_host or self.session.role == ADMIN):
            raise NotAllowed("Only the stream's host may do that.")
        return self

    def moderating(self) -> "StreamAccess":
        """The same access for whoever `moderates`; NotAllowed for everyone else."""
        if not self.moderates:
            raise NotAllowed("Only the stream's host and moderators may do that.")
        return self

    def person(self) -> UUID:
        """Who acts in an own name; the refusal of a session without one for whoever has none."""
        return self.session.user_id


async def access_stream(tx: Transaction, world: World, session: Session, stream_id: UUID, *, locking: bool = False) -> StreamAccess:
    """The stream for whoever may see it, by the select rule of the role; with `locking` it stays as it is until the commit.

    Refuses in this order: NotFound (absent, or hidden also without a ban), Banned. Role and state are the action's to check. One
    statement, and one more that locks: the right is asked before anybody waits.
    """
    found = await tx.connection.execute(_question(world, session, stream_id))
    row = found.first()
    if row is None or not (row.seen or row.seen_unbanned):
        raise NotFound
    if not row.seen:
        raise Banned
    stream = await lock_stream(tx, stream_id) if locking else Stream.of(row)
    if stream is None:
        raise NotFound
    return StreamAccess(tx, stream, _person(session), row.channel_role, session, world.clock.now())


def _question(world: World, session: Session, stream_id: UUID) -> sa.Select[tuple[object, ...]]:
    """The role of a member is read as text: a deployment may have an enum of its own there."""
    role = sa.select(sa.cast(channel_members.c.role, sa.Text)).where(
        channel_members.c.channel_id == streams.c.channel_id,
        channel_members.c.user_id == sa.literal(_person(session), pg.UUID()),
    )
    return sa.select(
        *COLUMNS,
        role.scalar_subquery().label("channel_role"),
        world.readable(session, STREAMS, streams).label("seen"),
        world.readable.without("bans", session, STREAMS, streams).label("seen_unbanned"),
    ).where(streams.c.id == stream_id)


def _person(session: Session) -> UUID | None:
    return session.user_id if USER_ID in session.variables else None
