"""Somebody reacts to a stream; what many send at a moment is written together, and each answer comes after the commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import ReactionsDisabled, StreamNotLive
from domain.streams.viewers.standing import Refusal, StreamAsked, StreamStanding, standings
from domain.world import World
from permissions.session import Session
from schema.tables.stream_reactions import stream_reactions as reactions

ReactionType = Literal["like", "love", "fire", "clap", "wow", "laugh", "sad"]
# Seconds between two batches of a stream, in each process.
EVERY: Final = 0.05

_SENT: Final = (
    sa.func.unnest(sa.bindparam("users", type_=pg.ARRAY(pg.UUID())), sa.bindparam("types", type_=pg.ARRAY(sa.Text())))
    .table_valued(sa.column("user_id", pg.UUID()), sa.column("type", sa.Text()))
    .render_derived(name="sent")
)
# One statement, for whose rows the triggers count once.
INSERT: Final = sa.insert(reactions).from_select(
    ["stream_id", "user_id", "type", "created_at"],
    sa.select(
        sa.bindparam("stream", type_=pg.UUID()),
        _SENT.c.user_id,
        sa.cast(_SENT.c.type, reactions.c.type.type),
        sa.bindparam("now", type_=pg.TIMESTAMP(timezone=True)),
    ),
)


@dataclass(frozen=True, slots=True)
class Reaction:
    session: Session
    user_id: UUID
    type: ReactionType


async def react_to_stream(world: World, session: Session, stream_id: UUID, type: ReactionType) -> None:
    """One reaction of the caller, committed when this returns.

    Refuses with RateLimited, NotFound, Banned, InvalidInput (nobody knows the caller), StreamNotLive, ReactionsDisabled.
    """
    user_id = session.user_id
    await world.limiter.hit("reaction", str(user_id))
    refusal = await world.batches.written(
        ("reactions", stream_id), Reaction(session, user_id, type), partial(write, world, stream_id), every=EVERY
    )
    if refusal is not None:
        raise refusal


async def write(world: World, stream_id: UUID, sent: Sequence[Reaction]) -> Sequence[Refusal | None]:
    """What refuses each of them, in order; the others are rows. Who may react is asked in the transaction that writes."""
    async with world.transaction("react_to_stream.write") as tx:
        found = await standings(tx, world, [StreamAsked(stream_id, one.session) for one in sent])
        refusals = [_refusal(standing) for standing in found]
        good = [one for one, refusal in zip(sent, refusals, strict=True) if refusal is None]
        if good:
            given = {"stream": stream_id, "users": [one.user_id for one in good], "types": [one.type for one in good]}
            await tx.connection.execute(INSERT, {**given, "now": world.clock.now()})
            tx.hint(f"stream:{stream_id}")
            tx.hint(f"table:{reactions.name}")
        return refusals


def _refusal(standing: StreamStanding) -> Refusal | None:
    if standing.refusal is not None:
        return standing.refusal
    if standing.status != "live":
        return StreamNotLive()
    return None if standing.reactions_enabled else ReactionsDisabled()
