"""Viewers say that they still watch; what many of them say at a moment is written together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import NotFound, StreamNotLive
from domain.streams.rows import OVER
from domain.streams.viewers.rows import COLUMNS, WATCHES, Viewer, end, hashed, moment, person_of, watched
from domain.streams.viewers.standing import Refusal, StreamAsked, StreamStanding, standings
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.stream_viewers import stream_viewers as viewers

# Seconds between two batches of a process.
EVERY: Final = 0.1

# Locked in the order of their ids, as whoever ends several of them does.
_LOCK: Final = (
    sa.select(viewers.c.session_id, *COLUMNS)
    .where(viewers.c.session_id == sa.any_(sa.bindparam("hashes", type_=pg.ARRAY(sa.Text()))))
    .order_by(viewers.c.id)
    .with_for_update(key_share=True)
)
_NOW: Final = sa.bindparam("now", type_=pg.TIMESTAMP(timezone=True))
_SEEN: Final = (
    sa.update(viewers)
    .where(viewers.c.id == sa.any_(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID()))), WATCHES)
    .values(seen_at=sa.func.greatest(viewers.c.seen_at, _NOW), watch_duration=watched(_NOW))
)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Who says it, and the hash of which session."""

    session: Session
    user_id: UUID | None
    hash: str


async def heartbeat_stream(world: World, session: Session, session_id: str) -> Viewer:
    """The session, which was seen just now; the answer comes when that is committed.

    Refuses with NotFound (no such session of the caller, or it is over: join again), StreamNotLive, Banned. Whoever may not see the
    stream any more is told so, and the session ends.
    """
    beat = Heartbeat(session, person_of(session), hashed(session_id))
    found = await world.batches.written("heartbeats", beat, partial(write, world), every=EVERY)
    if isinstance(found, Exception):
        raise found
    return found


async def write(world: World, beats: Sequence[Heartbeat]) -> Sequence[Viewer | Refusal]:
    """What came of each, in order; three statements however many they are, and one for each role that is among them."""
    async with world.transaction("heartbeat_stream.write") as tx:
        found = {row.session_id: Viewer.of(row) for row in await tx.connection.execute(_LOCK, {"hashes": [beat.hash for beat in beats]})}
        mine = [found.get(beat.hash) if _is_of(found.get(beat.hash), beat) else None for beat in beats]
        asked = [StreamAsked(viewer.stream_id, beat.session) for viewer, beat in zip(mine, beats, strict=True) if viewer is not None]
        answers = iter(await standings(tx, world, asked))
        outcomes = [NotFound() if viewer is None else _outcome(viewer, next(answers)) for viewer in mine]
        await _write(tx, world, mine, outcomes)
        return outcomes


def _is_of(viewer: Viewer | None, beat: Heartbeat) -> bool:
    """A session is its viewer's alone: who knows its id and is somebody else has nothing of it."""
    return viewer is not None and viewer.user_id == beat.user_id


def _outcome(viewer: Viewer, standing: StreamStanding) -> Viewer | Refusal:
    if standing.refusal is not None:
        return standing.refusal
    if standing.status in OVER:
        return StreamNotLive()
    return viewer if viewer.left_at is None else NotFound("This session is over; join the stream again.")


async def _write(tx: Transaction, world: World, mine: Sequence[Viewer | None], outcomes: Sequence[Viewer | Refusal]) -> None:
    now = world.clock.now()
    outcome_of: Mapping[UUID, Any] = {viewer.id: outcome for viewer, outcome in zip(mine, outcomes, strict=True) if viewer is not None}
    watching = [viewer_id for viewer_id, outcome in outcome_of.items() if isinstance(outcome, Viewer)]
    if watching:
        await tx.connection.execute(_SEEN, {"ids": watching, "now": now})
    if len(watching) < len(outcome_of):
        await end(tx, outcome_of.keys() - set(watching), moment(now))
