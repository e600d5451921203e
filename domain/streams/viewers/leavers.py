"""Sessions that are over and may still be in their stream's room: taken by one process for a while, a share of each room, then confirmed or
put off."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import World

# Sessions of one room that one process has at a time: whoever has to leave it next waits for no more than these.
SHARE: Final = 200
# Whoever asks LiveKit is done by then, or dead.
TAKEN_FOR: Final = timedelta(seconds=15)
FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=1)

MOMENT: Final = pg.TIMESTAMP(timezone=True)
TYPES: Final[Mapping[str, Any]] = {
    "ids": pg.ARRAY(pg.UUID()),
    "others": pg.ARRAY(pg.UUID()),
    "stream": pg.UUID(),
    "now": MOMENT,
    "until": MOMENT,
    "next": MOMENT,
}


def _statement(sql: str) -> sa.TextClause:
    statement = sa.text(sql)
    return statement.bindparams(*(sa.bindparam(name, type_=type_) for name, type_ in TYPES.items() if f":{name}" in sql))


MAY_BE_INSIDE: Final = "viewer.webrtc AND viewer.left_at IS NOT NULL AND viewer.out_of_room_at IS NULL"
# The room of a stream that is over goes with all who are in it; that of a call stays.
GOES_ITSELF: Final = "stream.call_id IS NULL AND stream.status = 'ended'"
FREE: Final = f"{MAY_BE_INSIDE} AND (viewer.out_next_at IS NULL OR viewer.out_next_at <= :now)"
# Rooms that LiveKit answered for come first. In each, who has just lost the right comes before those whom a storm of others left behind.
TAKE: Final = _statement(f"""
    WITH due AS (
        SELECT viewer.id, viewer.stream_id, viewer.left_at, viewer.out_tries, row_number() OVER (
            PARTITION BY viewer.stream_id ORDER BY viewer.out_tries, viewer.left_at DESC, viewer.id
        ) AS place
        FROM nchat_stream_viewers AS viewer JOIN nchat_streams AS stream ON stream.id = viewer.stream_id
        WHERE {FREE} AND viewer.stream_id <> ALL(:others) AND NOT ({GOES_ITSELF})
    ), rooms AS (
        SELECT stream_id FROM due GROUP BY stream_id ORDER BY min(out_tries), min(left_at) LIMIT :most
    ), mine AS (
        SELECT viewer.id FROM nchat_stream_viewers AS viewer JOIN due USING (id)
        WHERE {FREE} AND due.place <= :share AND due.stream_id IN (SELECT stream_id FROM rooms)
        ORDER BY viewer.id FOR NO KEY UPDATE OF viewer SKIP LOCKED
    )
    UPDATE nchat_stream_viewers AS viewer SET out_tries = least(viewer.out_tries, 1000) + 1, out_next_at = :until
    FROM mine, nchat_streams AS stream WHERE viewer.id = mine.id AND stream.id = viewer.stream_id
    RETURNING viewer.id, viewer.stream_id, stream.room_name, viewer.out_tries AS tries
""")  # noqa: S608 - conditions of ours
CONFIRM: Final = _statement("""
    UPDATE nchat_stream_viewers SET out_of_room_at = :now WHERE id = ANY(:ids) AND out_of_room_at IS NULL
""")
LET_GO: Final = _statement(f"""
    UPDATE nchat_stream_viewers SET out_next_at = :next WHERE id IN (
        SELECT viewer.id FROM nchat_stream_viewers AS viewer WHERE viewer.id = ANY(:ids) AND {MAY_BE_INSIDE}
        ORDER BY viewer.id FOR NO KEY UPDATE
    )
""")  # noqa: S608
# Whoever is held is being taken, or put off, by another.
PUT_ROOM_OFF: Final = _statement(f"""
    UPDATE nchat_stream_viewers SET out_next_at = greatest(out_next_at, :next), out_tries = greatest(out_tries, :tries) WHERE id IN (
        SELECT viewer.id FROM nchat_stream_viewers AS viewer WHERE viewer.stream_id = :stream AND {MAY_BE_INSIDE}
        ORDER BY viewer.id FOR NO KEY UPDATE SKIP LOCKED
    )
""")  # noqa: S608
CLOSED: Final = _statement(f"""
    UPDATE nchat_stream_viewers SET out_of_room_at = :now WHERE id IN (
        SELECT viewer.id FROM nchat_stream_viewers AS viewer JOIN nchat_streams AS stream ON stream.id = viewer.stream_id
        WHERE {MAY_BE_INSIDE} AND {GOES_ITSELF} AND stream.room_closed_at IS NOT NULL
        ORDER BY viewer.id LIMIT :most FOR NO KEY UPDATE OF viewer SKIP LOCKED
    )
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Leavers:
    """Of one room, in the hands of one process. `tries` is how often the one was tried who was tried most."""

    stream_id: UUID
    room_name: str
    viewer_ids: Sequence[UUID]
    tries: int

    @property
    def pause(self) -> timedelta:
        """Until the next try of what failed."""
        return min(FIRST_PAUSE * float(2 ** min(self.tries - 1, 10)), LONGEST_PAUSE)


async def take(world: World, *, most: int, other_than: Collection[UUID]) -> Sequence[Leavers]:
    """A share of each of so many rooms, but none of these streams. Until it is settled, or `TAKEN_FOR` is over, nobody else gets it."""
    now = world.clock.now()
    given = {"now": now, "until": now + TAKEN_FOR, "most": most, "share": SHARE, "others": list(other_than)}
    async with world.transaction("viewers.take_leavers") as tx:
        found = (await tx.connection.execute(TAKE, given)).all()
    rows = sorted(found, key=lambda row: (row.stream_id, row.id))
    return [_share(list(some)) for _, some in groupby(rows, key=lambda row: row.stream_id)]


async def confirm(world: World, viewer_ids: Sequence[UUID]) -> None:
    """LiveKit has said that these are not in the room."""
    if viewer_ids:
        async with world.transaction("viewers.out_of_room") as tx:
            await tx.connection.execute(CONFIRM, {"ids": list(viewer_ids), "now": world.clock.now()})


async def put_off(world: World, share: Leavers, viewer_ids: Sequence[UUID]) -> None:
    """Some of a share are tried again after its pause; the others of the room need not wait for them."""
    async with world.transaction("viewers.put_off") as tx:
        await tx.connection.execute(LET_GO, {"ids": list(viewer_ids), "next": world.clock.now() + share.pause})


async def put_room_off(world: World, share: Leavers) -> None:
    """Nobody answers for the room: whoever is to leave it waits, and no other room for it."""
    next_at = world.clock.now() + share.pause
    async with world.transaction("viewers.put_room_off") as tx:
        await tx.connection.execute(LET_GO, {"ids": list(share.viewer_ids), "next": next_at})
        await tx.connection.execute(PUT_ROOM_OFF, {"stream": share.stream_id, "next": next_at, "tries": share.tries})


async def confirm_closed(world: World, most: int) -> int:
    """Some of those whose room is gone; how many."""
    async with world.transaction("viewers.rooms_closed") as tx:
        return (await tx.connection.execute(CLOSED, {"now": world.clock.now(), "most": most})).rowcount


def _share(rows: Sequence[Any]) -> Leavers:
    return Leavers(rows[0].stream_id, rows[0].room_name, [row.id for row in rows], max(row.tries for row in rows))
