"""What every action on a stream asks first: who may see it, who is banned from it, and who hosts or moderates it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.call_settings.channels import MANAGERS
from domain.calls.life_cycle import SEATED
from domain.errors import Banned, NotAllowed, NotFound
from domain.streams.rows import COLUMNS, Stream, lock_stream
from domain.world import Transaction, World
from permissions.session import ADMIN, USER_ID, Session
from schema.model import TableName
from schema.tables.call_participants import call_participants
from schema.tables.channels import channel_members
from schema.tables.streams import streams

STREAMS: Final = TableName("public", streams.name)
# Hasura's role that moderates every stream.
MODERATOR: Final = "moderator"
_HOSTS_CALL: Final = (
    sa.select(sa.literal(1))
    .select_from(streams.join(call_participants, call_participants.c.call_id == streams.c.call_id))
    .where(streams.c.id == sa.bindparam("stream"), call_participants.c.user_id == sa.bindparam("person"))
    .where(call_participants.c.role.in_(("host", "co_host")), call_participants.c.status.in_(SEATED))
)


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


async def access_to_end(tx: Transaction, world: World, session: Session, stream_id: UUID) -> StreamAccess:
    """The stream, locked, for whoever may end it: its host, the role admin, and host and co-hosts of the call that it shows, who need not
    be among those whom it is for.

    Refuses as access_stream does, and with NotAllowed.
    """
    person = _person(session)
    if person is not None and await _hosts_call(tx, stream_id, person):
        stream = await lock_stream(tx, stream_id)
        # Asked again: the role may have been lost while this waited for the call.
        if stream is not None and await _hosts_call(tx, stream_id, person):
            return StreamAccess(tx, stream, person, None, session, world.clock.now())
    return (await access_stream(tx, world, session, stream_id, locking=True)).hosting()


async def _hosts_call(tx: Transaction, stream_id: UUID, person: UUID) -> bool:
    return (await tx.connection.execute(_HOSTS_CALL, {"stream": stream_id, "person": person})).first() is not None


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
