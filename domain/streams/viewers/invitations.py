"""Who may see a stream that is for the invited."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import InvalidInput, NotFound
from domain.streams.access import access_stream
from domain.streams.viewers.unseeing.ending import end_unseeing
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.stream_invites import stream_invites as invites
from schema.tables.users import users

# People in one request.
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Invitations:
    """`user_ids` are those who were named, each once."""

    stream_id: UUID
    user_ids: tuple[UUID, ...]


async def invite_to_stream(world: World, session: Session, stream_id: UUID, user_ids: Sequence[UUID]) -> Invitations:
    """They see the stream from now on, if it is for the invited; who is invited already stays so.

    Refuses with NotFound (the stream, or a person whom nobody knows), Banned, NotAllowed (neither host nor admin), InvalidInput.
    """
    async with world.transaction("invite_to_stream.write") as tx:
        access = (await access_stream(tx, world, session, stream_id, locking=True)).hosting()
        people, host = _named(user_ids), access.person()
        await _require_known(tx, people)
        rows = [{"stream_id": stream_id, "user_id": one, "invited_by": host, "created_at": access.now} for one in people]
        await tx.connection.execute(pg.insert(invites).values(rows).on_conflict_do_nothing())
        tx.hint(f"table:{invites.name}")
        return Invitations(stream_id, people)


async def uninvite_from_stream(world: World, session: Session, stream_id: UUID, user_ids: Sequence[UUID]) -> Invitations:
    """They are invited no more. Whoever may not see the stream without that is out of it at once: sessions end, subscriptions are told.

    Refuses as invite_to_stream does; who was not invited stays so.
    """
    async with world.transaction("uninvite_from_stream.write") as tx:
        (await access_stream(tx, world, session, stream_id, locking=True)).hosting()
        people = _named(user_ids)
        mine = (invites.c.stream_id == stream_id, invites.c.user_id == sa.any_(sa.literal(list(people), pg.ARRAY(pg.UUID()))))
        await tx.connection.execute(sa.delete(invites).where(*mine))
        await end_unseeing(tx, world, stream_id, people)
        # Those who follow are asked for their right when there may be something to tell them.
        for topic in (f"table:{invites.name}", f"stream:{stream_id}", f"stream_chat:{stream_id}"):
            tx.hint(topic)
        return Invitations(stream_id, people)


def _named(user_ids: Sequence[UUID]) -> tuple[UUID, ...]:
    if not 0 < len(user_ids) <= MOST:
        raise InvalidInput(f"userIds names 1 to {MOST} people.")
    return tuple(dict.fromkeys(user_ids))


async def _require_known(tx: Transaction, people: Sequence[UUID]) -> None:
    known = sa.select(sa.func.count()).where(users.c.id == sa.any_(sa.literal(list(people), pg.ARRAY(pg.UUID()))))
    if (await tx.connection.execute(known)).scalar_one() < len(people):
        raise NotFound
