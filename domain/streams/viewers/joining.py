"""A viewer begins to watch; those who come to a stream at a moment are written together, and each answer comes after the commit."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import MediaUnavailable, NotFound, ParticipantKicked, StreamNotLive
from domain.input_checks import require_text
from domain.streams.viewers.entering import ViewerTicket, kicked, ticket
from domain.streams.viewers.rows import hashed, person_of
from domain.streams.viewers.standing import Refusal, StreamAsked, StreamStanding, standings
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.stream_viewers import stream_viewers as viewers

LONGEST_DEVICE_TYPE: Final = 50
# Bytes of a session's id: nobody guesses one.
SECRET_BYTES: Final = 24
# Seconds between two batches of a stream, in each process.
EVERY: Final = 0.02
# As the column of the stream's row says it, for each who asks.
WAYS: Final = sa.text("""
    SELECT stream.room_name, stream.call_id, nchat_streams_playback_url(stream, CAST(asked.session AS json)) AS playback_url
    FROM nchat_streams AS stream, unnest(:sessions) WITH ORDINALITY AS asked (session, number) WHERE stream.id = :stream ORDER BY number
""").bindparams(sa.bindparam("sessions", type_=pg.ARRAY(sa.Text())), sa.bindparam("stream", type_=pg.UUID()))
_COLUMNS: Final[dict[str, Any]] = {
    "id": pg.UUID(),
    "user_id": pg.UUID(),
    "role": sa.Text(),
    "session_id": sa.Text(),
    "device_type": sa.Text(),
    "webrtc": sa.Boolean(),
}
_COME: Final = (
    sa.func.unnest(*(sa.bindparam(f"all_{name}", type_=pg.ARRAY(type_)) for name, type_ in _COLUMNS.items()))
    .table_valued(*(sa.column(name, type_) for name, type_ in _COLUMNS.items()))
    .render_derived(name="come")
)
_NOW: Final = sa.bindparam("now", type_=pg.TIMESTAMP(timezone=True))
# One statement, for whose rows the triggers count once: whoever joins the stream elsewhere waits for no more than this and the commit.
INSERT: Final = sa.insert(viewers).from_select(
    ["stream_id", *_COLUMNS, "joined_at", "seen_at"],
    sa.select(sa.bindparam("stream", type_=pg.UUID()), *(_COME.c[name] for name in _COLUMNS), _NOW, _NOW),
)


@dataclass(frozen=True, slots=True)
class NewViewer:
    """Who joins, and the hash of the session's secret id; `viewer_id` is its row."""

    session: Session
    hash: str
    device_type: str | None = None
    webrtc: bool = False
    viewer_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class WayToWatch:
    """Where it plays, None while there is nothing to play; `ticket` is None where WebRTC was not asked for."""

    playback_url: str | None
    ticket: ViewerTicket | None


@dataclass(frozen=True, slots=True)
class Joined:
    """`session_id` is the viewer's alone, and told this once."""

    stream_id: UUID
    viewer_id: UUID
    session_id: str
    playback_url: str | None
    ticket: ViewerTicket | None


async def join_stream(
    world: World, session: Session, stream_id: UUID, device_type: str | None = None, *, webrtc: bool = False, principal: str = ""
) -> Joined:
    """A new session of the caller, who needs no name where the stream is public. Each join is one: two tabs are two viewers.

    `principal` is whose share of the service it comes from: an address where no person is named. Refuses with RateLimited, InvalidInput,
    NotFound, Banned, StreamNotLive, MediaUnavailable; with `webrtc`, which is a way into the room of a call that is shown, with
    ParticipantKicked for whoever was removed from it.
    """
    person = person_of(session)
    await (world.limiter.hit("anonymous_join", principal) if person is None else world.limiter.hit("token", str(person)))
    if device_type is not None:
        require_text("deviceType", device_type, LONGEST_DEVICE_TYPE)
    session_id = secrets.token_urlsafe(SECRET_BYTES)
    join = NewViewer(session, hashed(session_id), device_type, webrtc)
    way = await world.batches.written(("joins", stream_id), join, partial(write, world, stream_id), every=EVERY)
    if isinstance(way, Exception):
        raise way
    return Joined(stream_id, join.viewer_id, session_id, way.playback_url, way.ticket)


async def write(world: World, stream_id: UUID, joins: Sequence[NewViewer]) -> Sequence[WayToWatch | Refusal]:
    """What came of each, in order; a statement for each role among them and three more at most, however many they are."""
    async with world.transaction("join_stream.write") as tx:
        found = await standings(tx, world, [StreamAsked(stream_id, join.session) for join in joins])
        out = await kicked(tx, stream_id, [person for join in joins if join.webrtc and (person := person_of(join.session)) is not None])
        outcomes: list[WayToWatch | Refusal | None] = [_refusal(standing, join, out) for standing, join in zip(found, joins, strict=True)]
        seeing = [place for place, refusal in enumerate(outcomes) if refusal is None]
        ways = await _ways(tx, world, stream_id, [joins[place] for place in seeing])
        for place, way in zip(seeing, ways, strict=True):
            outcomes[place] = way
        await _insert(tx, world, stream_id, [join for join, way in zip(joins, outcomes, strict=True) if isinstance(way, WayToWatch)])
        return [NotFound() if outcome is None else outcome for outcome in outcomes]


def _refusal(standing: StreamStanding, join: NewViewer, out: Collection[UUID]) -> Refusal | None:
    if standing.refusal is not None:
        return standing.refusal
    if join.webrtc and person_of(join.session) in out:
        return ParticipantKicked()
    return None if standing.status == "live" else StreamNotLive()


async def _ways(tx: Transaction, world: World, stream_id: UUID, joins: Sequence[NewViewer]) -> list[WayToWatch | Refusal]:
    if not joins:
        return []
    told = [join.session.as_argument() for join in joins]
    # All who have no name ask the same.
    different = list(dict.fromkeys(told))
    rows = (await tx.connection.execute(WAYS, {"sessions": different, "stream": stream_id})).all()
    row_of = dict(zip(different, rows, strict=bool(rows)))
    return [_way(world, row_of.get(one), join) for one, join in zip(told, joins, strict=True)]


def _way(world: World, row: Any, join: NewViewer) -> WayToWatch | Refusal:
    if row is None:
        return NotFound()
    try:
        return WayToWatch(row.playback_url, ticket(world, row.room_name, row.call_id, join.viewer_id) if join.webrtc else None)
    except MediaUnavailable as refusal:
        return refusal


async def _insert(tx: Transaction, world: World, stream_id: UUID, joins: Sequence[NewViewer]) -> None:
    if joins:
        rows = [(join.viewer_id, person_of(join.session), join.session.role, join.hash, join.device_type, join.webrtc) for join in joins]
        given = {f"all_{name}": list(column) for name, column in zip(_COLUMNS, zip(*rows, strict=True), strict=True)}
        await tx.connection.execute(INSERT, {**given, "stream": stream_id, "now": world.clock.now()})
