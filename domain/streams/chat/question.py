"""What the database is asked before somebody's message is written, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import Row

from domain.call_settings.channels import MANAGERS
from domain.errors import Banned, ChatDisabled, InvalidInput, NotFound, RateLimited, SlowMode, StreamNotLive
from domain.streams.access import MODERATOR, STREAMS
from domain.streams.rows import StreamStatus
from domain.world import Readable, Transaction, World
from permissions.session import ADMIN, Session
from schema.tables.channel_call_settings import channel_call_settings
from schema.tables.channels import channel_members
from schema.tables.stream_chat import stream_chat
from schema.tables.streams import streams
from schema.tables.users import users

# A message of one person at one stream after the other: what the person wrote before, and a ban, are known when the next is decided.
ONE_AT_A_TIME: Final = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('stream chat:' || :stream || ':' || :author, 0))")
# Roles whose statement is kept.
ROLES: Final = 16


@dataclass(frozen=True, slots=True)
class Message:
    """One that is to be written."""

    stream_id: UUID
    author_id: UUID
    content: str
    reply_to_id: UUID | None
    client_message_id: UUID | None


@dataclass(frozen=True, slots=True)
class Floor:
    """How things stand for the author of a message; times are the database's, in seconds.

    `sent_id` and `sent_seq` are those of a message that was sent with the same client_message_id before.
    """

    seen: bool
    seen_unbanned: bool
    known: bool
    channel_id: UUID
    channel_role: str | None
    hosts: bool
    status: StreamStatus
    chat_enabled: bool
    slow_mode_left: float
    replies_to_something: bool
    terms_version: UUID | None
    sent_id: UUID | None
    sent_seq: int | None

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "Floor":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})

    def require_right(self) -> None:
        """Raises NotFound, Banned, and InvalidInput for an author whom no row knows."""
        if not (self.seen or self.seen_unbanned):
            raise NotFound
        if not self.seen:
            raise Banned
        if not self.known:
            raise InvalidInput("x-hasura-user-id names no known user.")

    def require_open(self) -> None:
        """Raises StreamNotLive, ChatDisabled, and NotFound for an answer to nothing that is there."""
        if self.status != "live":
            raise StreamNotLive
        if not self.chat_enabled:
            raise ChatDisabled
        if not self.replies_to_something:
            raise NotFound("No such message to reply to.")

    def require_patience(self, session: Session, limited: RateLimited | None) -> None:
        """Raises `limited` and SlowMode for those who do not moderate here: neither is meant for who keeps order."""
        if self.hosts or session.role in (ADMIN, MODERATOR) or self.channel_role in MANAGERS:
            return
        if limited is not None:
            raise limited
        if self.slow_mode_left > 0:
            raise SlowMode(self.slow_mode_left)


async def lock_author(tx: Transaction, stream_id: UUID, author_id: UUID) -> None:
    """Until the commit nobody else writes in this person's name at the stream, or bans the person."""
    await tx.connection.execute(ONE_AT_A_TIME, {"stream": str(stream_id), "author": str(author_id)})


async def ask(tx: Transaction, world: World, session: Session, message: Message) -> Floor:
    """How things stand at this moment. NotFound for a stream that does not exist."""
    question = _question(world.readable, session.role)
    given = {
        "stream": message.stream_id,
        "author": message.author_id,
        "reply_to": message.reply_to_id,
        "client_message": message.client_message_id,
    }
    row = (await tx.connection.execute(question.statement, {**given, **question.values(session)})).first()
    if row is None:
        raise NotFound
    return Floor.of(row)


@dataclass(frozen=True, slots=True)
class _Question:
    statement: sa.Select[tuple[object, ...]]
    variables: frozenset[str]

    def values(self, session: Session) -> Mapping[str, str]:
        return {name: session.variable(name) for name in self.variables}


@lru_cache(maxsize=ROLES)
def _question(readable: Readable, role: str) -> _Question:
    """That of a role: to put it together takes longer than to ask it."""
    variables = set[str]()

    def named(name: str) -> sa.ColumnElement[str]:
        variables.add(name)
        return sa.bindparam(name, type_=sa.Text())

    author: sa.ColumnElement[UUID] = sa.bindparam("author", type_=pg.UUID())
    sent = stream_chat.alias("sent")
    is_sent = sa.and_(
        sent.c.stream_id == streams.c.id,
        sent.c.user_id == author,
        sent.c.client_message_id == sa.bindparam("client_message", type_=pg.UUID()),
    )
    of_channel = channel_call_settings.c.channel_id == streams.c.channel_id
    has_terms = sa.and_(of_channel, sa.func.cardinality(channel_call_settings.c.blocked_terms) > 0)
    statement = (
        sa.select(
            readable.by_values(role, STREAMS, streams, named).label("seen"),
            readable.by_values(role, STREAMS, streams, named, without="bans").label("seen_unbanned"),
            sa.exists().where(users.c.id == author).label("known"),
            streams.c.channel_id,
            _channel_role(author).label("channel_role"),
            (streams.c.host_id == author).label("hosts"),
            streams.c.status,
            streams.c.chat_enabled,
            _slow_mode_left(author).label("slow_mode_left"),
            _replies_to_something().label("replies_to_something"),
            channel_call_settings.c.terms_version,
            sent.c.id.label("sent_id"),
            sent.c.seq.label("sent_seq"),
        )
        .select_from(streams.outerjoin(channel_call_settings, has_terms).outerjoin(sent, is_sent))
        .where(streams.c.id == sa.bindparam("stream", type_=pg.UUID()))
    )
    return _Question(statement, frozenset(variables))


def _channel_role(author: sa.ColumnElement[UUID]) -> sa.ScalarSelect[str]:
    """Read as text: a deployment may have an enum of its own there."""
    mine = channel_members.c.channel_id == streams.c.channel_id, channel_members.c.user_id == author
    return sa.select(sa.cast(channel_members.c.role, sa.Text)).where(*mine).scalar_subquery()


def _slow_mode_left(author: sa.ColumnElement[UUID]) -> sa.ColumnElement[float]:
    """Seconds; what was deleted counts."""
    earlier = stream_chat.alias("earlier")
    last = sa.select(sa.func.max(earlier.c.created_at)).where(earlier.c.stream_id == streams.c.id, earlier.c.user_id == author)
    since = sa.cast(sa.extract("epoch", sa.func.clock_timestamp() - last.scalar_subquery()), sa.Double)
    return sa.case((streams.c.slow_mode_seconds > 0, sa.func.coalesce(streams.c.slow_mode_seconds - since, 0.0)), else_=0.0)


def _replies_to_something() -> sa.ColumnElement[bool]:
    replied_to = stream_chat.alias("replied_to")
    reply_to = sa.bindparam("reply_to", type_=pg.UUID())
    there = replied_to.c.id == reply_to, replied_to.c.stream_id == streams.c.id, ~replied_to.c.is_deleted
    return sa.or_(reply_to.is_(None), sa.exists().where(*there))
