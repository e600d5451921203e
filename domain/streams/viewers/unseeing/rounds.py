"""Everybody who watches by WebRTC is looked after all the time, and asked for where the answer may have changed.

Each stream by one process at a time, twice a second; and all of it again once in a while, whatever seems to have changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.streams.viewers.unseeing.ending import end_unseeing_in_room
from domain.streams.viewers.unseeing.sights import sights, tells_all
from domain.world import World

# A process that dies at one leaves the stream for so long.
LOOK_EVERY: Final = timedelta(seconds=0.4)
LOOK: Final = 50
# Again: whoever was let in at that very moment was not there yet.
AGAIN_AFTER: Final = timedelta(seconds=1.5)
ANYWAY: Final = timedelta(seconds=30)
# Where a rule asks for what is not looked at: as often as a right that is lost has to end.
BLINDLY: Final = timedelta(seconds=1)
# From one stream to the next, whose viewers are all in one index.
_WATCHED: Final = """
    WITH RECURSIVE watched (stream_id) AS (
        (SELECT stream_id FROM nchat_stream_viewers WHERE webrtc AND left_at IS NULL ORDER BY stream_id LIMIT 1)
        UNION ALL
        SELECT (
            SELECT viewer.stream_id FROM nchat_stream_viewers AS viewer
            WHERE viewer.webrtc AND viewer.left_at IS NULL AND viewer.stream_id > watched.stream_id ORDER BY viewer.stream_id LIMIT 1
        ) FROM watched WHERE watched.stream_id IS NOT NULL
    )
"""
NOTE: Final = sa.text(f"""
    {_WATCHED}
    INSERT INTO nchat_stream_rights (stream_id, next_look_at, ask_at)
    SELECT stream_id, CAST(:now AS timestamptz), CAST(:now AS timestamptz) FROM watched
    WHERE stream_id IS NOT NULL AND NOT EXISTS (SELECT FROM nchat_stream_rights AS rights WHERE rights.stream_id = watched.stream_id)
    ON CONFLICT DO NOTHING
""")  # noqa: S608 - a text of ours
TAKE: Final = sa.text(f"""
    {_WATCHED}, due AS (
        SELECT rights.stream_id FROM nchat_stream_rights AS rights
        WHERE rights.stream_id IN (SELECT stream_id FROM watched) AND rights.next_look_at <= :now
        ORDER BY rights.next_look_at LIMIT :look FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_stream_rights AS rights SET next_look_at = :next FROM due WHERE rights.stream_id = due.stream_id
    RETURNING rights.stream_id, rights.seen, rights.ask_at
""")  # noqa: S608
ASKED: Final = sa.text("UPDATE nchat_stream_rights SET seen = :seen, ask_at = :ask_at WHERE stream_id = :stream")


@dataclass(frozen=True, slots=True)
class RightLook:
    """A stream whose viewers are in its room. `seen` is what decided when they were last asked for, `sight` what decides now; they are
    asked for again at `ask_at` in any case."""

    stream_id: UUID
    seen: str | None
    sight: str
    ask_at: datetime


async def end_unseeing_in_rooms(world: World) -> None:
    """Ends the sessions of all who watch by WebRTC and may not see their stream any more, as far as nobody else is at it."""
    looks = await _take(world)
    while looks:
        for look in looks:
            if look.sight != look.seen or look.ask_at <= world.clock.now():
                await _ask(world, look)
        looks = await _take(world) if len(looks) == LOOK else ()


async def _take(world: World) -> Sequence[RightLook]:
    """Those that are due; the next look at them is due soon, whoever takes it."""
    now = world.clock.now()
    async with world.transaction("viewers.look") as tx:
        await tx.connection.execute(NOTE, {"now": now})
        taken = (await tx.connection.execute(TAKE, {"now": now, "next": now + LOOK_EVERY, "look": LOOK})).all()
        seen = await sights(tx, [row.stream_id for row in taken]) if taken else {}
    return [RightLook(row.stream_id, row.seen, seen[row.stream_id], row.ask_at) for row in taken if row.stream_id in seen]


async def _ask(world: World, look: RightLook) -> None:
    """What changes meanwhile is seen at the next look. Written down at the end: whoever dies before that has others ask again."""
    roles = await end_unseeing_in_room(world, look.stream_id)
    anyway = ANYWAY if tells_all(world.readable, roles) else BLINDLY
    again = AGAIN_AFTER if look.sight != look.seen else anyway
    async with world.transaction("viewers.asked") as tx:
        given = {"stream": look.stream_id, "seen": look.sight, "ask_at": world.clock.now() + again}
        await tx.connection.execute(ASKED, given)
