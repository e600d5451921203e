"""What is done to a message: pinned, unpinned, highlighted, deleted."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import known_user
from domain.errors import InvalidInput, NotFound
from domain.streams.access import StreamAccess, access_stream
from domain.streams.chat import events
from domain.streams.chat.events import ChatEventKind
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.stream_chat import stream_chat

MINE: Final = sa.select(stream_chat.c.stream_id, stream_chat.c.user_id, stream_chat.c.is_deleted).where(
    stream_chat.c.id == sa.bindparam("message")
)


@dataclass(frozen=True, slots=True)
class MessageResult:
    stream_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True)
class _Written:
    """A message as it was before anything is done to it."""

    stream_id: UUID
    author_id: UUID
    is_deleted: bool


async def pin_stream_chat(world: World, session: Session, message_id: UUID) -> MessageResult:
    """Keeps a message in everybody's sight, for host and moderators. What is pinned already stays so.

    Refuses with NotFound (no such message, or hidden), Banned, NotAllowed, InvalidInput (it is deleted).
    """
    return await _mark(world, session, message_id, "pinned", stream_chat.c.is_pinned, to=True)


async def unpin_stream_chat(world: World, session: Session, message_id: UUID) -> MessageResult:
    """Takes a pinned message back to the others; refuses as pin_stream_chat does. What is not pinned stays so."""
    return await _mark(world, session, message_id, "unpinned", stream_chat.c.is_pinned, to=False)


async def highlight_stream_chat(world: World, session: Session, message_id: UUID) -> MessageResult:
    """Sets a message off from the others; refuses as pin_stream_chat does. What is highlighted already stays so."""
    return await _mark(world, session, message_id, "highlighted", stream_chat.c.is_highlighted, to=True)


async def delete_stream_chat(world: World, session: Session, message_id: UUID) -> MessageResult:
    """Takes a message back, for its author, host and moderators; no replay shows it again. What is deleted already stays so.

    Refuses with NotFound (no such message, or hidden), Banned, NotAllowed (somebody else's).
    """
    async with world.transaction("delete_stream_chat.write") as tx:
        access, message = await _access_message(tx, world, session, message_id)
        if message.author_id != access.user_id:
            access.moderating()
        actor = await known_user(tx, session)
        gone = {"is_deleted": True, "is_pinned": False, "deleted_by": actor}
        deleted = sa.update(stream_chat).where(stream_chat.c.id == message_id, ~stream_chat.c.is_deleted).values(gone)
        if (await tx.connection.execute(deleted.returning(stream_chat.c.id))).first() is not None:
            await events.append(tx, message.stream_id, "deleted", message_id, actor)
        return MessageResult(message.stream_id, message_id)


async def _mark(
    world: World, session: Session, message_id: UUID, kind: ChatEventKind, column: sa.Column[bool], *, to: bool
) -> MessageResult:
    async with world.transaction("mark_stream_chat.write") as tx:
        access, message = await _access_message(tx, world, session, message_id)
        access.moderating()
        if message.is_deleted:
            raise InvalidInput("The message is deleted.")
        actor = await known_user(tx, session)
        otherwise = stream_chat.c.id == message_id, ~stream_chat.c.is_deleted, column.is_distinct_from(to)
        marked = sa.update(stream_chat).where(*otherwise).values({column: to})
        if (await tx.connection.execute(marked.returning(stream_chat.c.id))).first() is not None:
            await events.append(tx, message.stream_id, kind, message_id, actor)
        return MessageResult(message.stream_id, message_id)


async def _access_message(tx: Transaction, world: World, session: Session, message_id: UUID) -> tuple[StreamAccess, _Written]:
    """A message of a stream that the caller may see, and the access to that. NotFound for one that was taken back and is not the
    caller's, where the caller keeps no order."""
    row = (await tx.connection.execute(MINE, {"message": message_id})).first()
    if row is None:
        raise NotFound
    message = _Written(*row)
    access = await access_stream(tx, world, session, message.stream_id)
    if message.is_deleted and not (access.moderates or message.author_id == access.user_id):
        raise NotFound
    return access, message
