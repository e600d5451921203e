"""Who may not be at a stream any more: banned, let back in, and bans that run out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.call_settings.channels import MANAGERS
from domain.calls.access import known_user
from domain.errors import InvalidInput, NotAllowed, NotFound
from domain.input_checks import require_text
from domain.streams.access import access_stream
from domain.streams.chat.question import lock_author
from domain.streams.rows import Stream
from domain.streams.viewers.unseeing.ending import end_unseeing
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.channels import channel_members
from schema.tables.stream_bans import UNLIFTED, stream_bans
from schema.tables.users import users

LONGEST_REASON: Final = 500
# Ten years: who means longer names no end.
LONGEST_BAN: Final = 10 * 365 * 24 * 3600
# Bans that one turn of the job lets go.
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class BanResult:
    stream_id: UUID
    user_id: UUID
    ban_id: UUID


async def ban_from_stream(
    world: World, session: Session, stream_id: UUID, user_id: UUID, seconds: int | None = None, reason: str | None = None
) -> BanResult:
    """Keeps a person out of a stream for so many seconds, or for good; who is banned already is so from now on by this ban's terms.

    For host and moderators. What the person follows there ends with `banned`, the sessions that watch are over, and who of them is in the
    stream's room is taken out of it (`domain/streams/viewers/out_of_room.py`). Refuses with InvalidInput (seconds, reason), NotFound (no
    such stream or person), Banned, NotAllowed (no moderator, or the person is the host or keeps the channel's order).
    """
    ends_in = _length(seconds)
    if reason is not None:
        require_text("reason", reason, LONGEST_REASON)
    async with world.transaction("ban_from_stream.write") as tx:
        access = (await access_stream(tx, world, session, stream_id)).moderating()
        await _require_bannable(tx, access.stream, user_id)
        banned_by = await known_user(tx, session)
        # A message of the person that is on its way is written before this, or refused.
        await lock_author(tx, stream_id, user_id)
        ends_at = None if ends_in is None else access.now + ends_in
        ban_id = await _ban(tx, stream_id, user_id, {"banned_by": banned_by, "reason": reason, "expires_at": ends_at})
        await end_unseeing(tx, world, stream_id, [user_id])
        _tell(tx, stream_id)
        return BanResult(stream_id, user_id, ban_id)


async def unban_from_stream(world: World, session: Session, stream_id: UUID, user_id: UUID) -> BanResult:
    """Lets a person back in; who has been let back in already stays so. For host and moderators.

    Refuses with NotFound (no such stream), Banned, NotAllowed, InvalidInput (who was never banned there).
    """
    async with world.transaction("unban_from_stream.write") as tx:
        access = (await access_stream(tx, world, session, stream_id)).moderating()
        theirs = stream_bans.c.stream_id == stream_id, stream_bans.c.user_id == user_id
        ban_id = await tx.connection.scalar(
            sa.select(stream_bans.c.id).where(*theirs).order_by(stream_bans.c.lifted_at.desc().nulls_first()).limit(1)
        )
        if ban_id is None:
            raise InvalidInput("That person is not banned.")
        lifted = sa.update(stream_bans).where(*theirs, UNLIFTED).values(lifted_at=access.now)
        await tx.connection.execute(lifted)
        _tell(tx, stream_id)
        return BanResult(stream_id, user_id, ban_id)


async def expire_bans(world: World) -> int:
    """Lifts some of the bans whose time is over; returns how many. Safe to run on several workers: each takes what no other holds."""
    now = world.clock.now()
    due = sa.select(stream_bans.c.id).where(UNLIFTED, stream_bans.c.expires_at <= now).order_by(stream_bans.c.expires_at)
    some = due.limit(BATCH).with_for_update(skip_locked=True).cte("some")
    lifted = sa.update(stream_bans).where(stream_bans.c.id == some.c.id).values(lifted_at=now).returning(stream_bans.c.stream_id)
    async with world.transaction("bans.expire") as tx:
        streams = (await tx.connection.execute(lifted)).scalars().all()
        for stream_id in set(streams):
            _tell(tx, stream_id)
    return len(streams)


async def expire_all_bans(world: World) -> None:
    """All that are due, some at a time."""
    while await expire_bans(world) == BATCH:
        pass


def _length(seconds: int | None) -> timedelta | None:
    if seconds is None:
        return None
    if not 1 <= seconds <= LONGEST_BAN:
        raise InvalidInput(f"seconds is between 1 and {LONGEST_BAN}; without it the ban has no end.")
    return timedelta(seconds=seconds)


async def _require_bannable(tx: Transaction, stream: Stream, user_id: UUID) -> None:
    """NotFound for nobody, NotAllowed for the host and for who moderates in the channel. Hasura's roles moderator and admin are in nobody's
    row: no ban is asked about who comes with one of them."""
    role = sa.select(sa.cast(channel_members.c.role, sa.Text)).where(
        channel_members.c.channel_id == stream.channel_id, channel_members.c.user_id == users.c.id
    )
    found = (await tx.connection.execute(sa.select(role.scalar_subquery().label("role")).where(users.c.id == user_id))).first()
    if found is None:
        raise NotFound
    if user_id == stream.host_id or found.role in MANAGERS:
        raise NotAllowed("The host and moderators can't be banned.")


async def _ban(tx: Transaction, stream_id: UUID, user_id: UUID, terms: dict[str, object]) -> UUID:
    write = pg.insert(stream_bans).values(stream_id=stream_id, user_id=user_id, **terms)
    renewed = write.on_conflict_do_update(index_elements=["stream_id", "user_id"], index_where=UNLIFTED, set_=terms)
    ban_id: UUID = (await tx.connection.execute(renewed.returning(stream_bans.c.id))).scalar_one()
    return ban_id


def _tell(tx: Transaction, stream_id: UUID) -> None:
    """Whoever follows the chat or the stream is asked for the right again at once."""
    tx.hint(f"stream_chat:{stream_id}")
    tx.hint(f"stream:{stream_id}")
    tx.hint(f"table:{stream_bans.name}")
