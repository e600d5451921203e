"""Which living calls deserve a closer look, and what was seen at it.

LiveKit's list of rooms has counts of people. A closer look is for where they differ from the rows or from the last look, where the
rows have news, where somebody was missing, and for each call once in a while: what a count can't tell, that one person took
another's place, a mute, a wrong right, is found then.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.ports import LiveRoom
from domain.world import World

LOOKED_AT_EVERY: Final = timedelta(minutes=1)
# Of a living call no look is so old.
FORGOTTEN_AFTER: Final = 2 * LOOKED_AT_EVERY
# What was committed while a look began, and news by the clocks of other machines.
NEWS_WITHIN: Final = timedelta(seconds=5)

LIVING: Final = sa.text("""
    SELECT call.id, call.room_name, look.room_sid, look.participants, look.publishers, look.due_at, people.connected,
        coalesce(greatest(call.status_since, people.since) > look.looked_at - CAST(:within AS interval), true) AS news, people.missed
    FROM nchat_calls AS call
    LEFT JOIN nchat_call_looks AS look ON look.call_id = call.id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE one.status = 'connected') AS connected, max(one.status_since) AS since,
            coalesce(bool_or(absence.participant_id IS NOT NULL), false) AS missed
        FROM nchat_call_participants AS one LEFT JOIN nchat_call_absences AS absence ON absence.participant_id = one.id
        WHERE one.call_id = call.id
    ) AS people
    WHERE call.status IN ('ringing', 'connecting', 'connected', 'reconnecting')
""")
NOTE: Final = sa.text("""
    INSERT INTO nchat_call_looks AS look (call_id, room_sid, participants, publishers, looked_at, due_at, differs_since)
    SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:sids AS text[]), CAST(:participants AS int[]), CAST(:publishers AS int[]),
        CAST(:at AS timestamptz[]), CAST(:due AS timestamptz[]), CAST(:differs AS timestamptz[])
    )
    ON CONFLICT (call_id) DO UPDATE SET (room_sid, participants, publishers, looked_at, due_at, differs_since) = (
        excluded.room_sid, excluded.participants, excluded.publishers, excluded.looked_at, excluded.due_at,
        CASE WHEN excluded.differs_since IS NULL THEN NULL ELSE coalesce(look.differs_since, excluded.differs_since) END
    )
""")
FORGET: Final = sa.text("""
    DELETE FROM nchat_call_looks WHERE call_id IN (
        SELECT look.call_id FROM nchat_call_looks AS look JOIN nchat_calls AS call ON call.id = look.call_id
        WHERE look.looked_at < :before AND call.status = 'ended' FOR UPDATE OF look SKIP LOCKED
    )
""")
OLDEST: Final = sa.text("""
    SELECT least(
        (SELECT min(differs_since) FROM nchat_call_looks WHERE differs_since IS NOT NULL AND looked_at >= :before),
        (SELECT min(ended_at) FROM nchat_calls WHERE ended_at IS NOT NULL AND room_closed_at IS NULL),
        (SELECT min(ended_at) FROM nchat_streams WHERE ended_at IS NOT NULL AND room_closed_at IS NULL)
    )
""")


@dataclass(frozen=True, slots=True)
class LivingCall:
    """A call that has a room, with what is compared at a glance. `missed`: somebody was not there at the last look.

    Where nobody looked yet, everything is news.
    """

    id: UUID
    room_name: str
    room_sid: str | None
    participants: int | None
    publishers: int | None
    due_at: datetime | None
    connected: int
    news: bool
    missed: bool

    def deserves_a_look(self, room: LiveRoom | None, now: datetime) -> bool:
        """Whether something may have changed in the room as it was listed; None is a room that is gone."""
        if room is None or self.news or self.missed or self.due_at is None or self.due_at <= now:
            return True
        seen = (self.room_sid, self.participants, self.publishers)
        return room.participants != self.connected or (room.sid, room.participants, room.publishers) != seen


@dataclass(frozen=True, slots=True)
class Look:
    """One closer look that came to its end. `alike`: rows and room said the same."""

    call: LivingCall
    room: LiveRoom | None
    at: datetime
    alike: bool

    @property
    def due_at(self) -> datetime:
        """At once where something was apart. The first look spreads: a thousand calls are not to be due in one round for ever after."""
        if not self.alike:
            return self.at
        spread = (self.call.id.int % 997) / 997 if self.call.due_at is None else 1
        return self.at + LOOKED_AT_EVERY * spread


async def living_calls(world: World) -> Sequence[LivingCall]:
    """All calls that have a room, whether or not LiveKit still has it, in one statement."""
    async with world.transaction("reconcile.living") as tx:
        found = await tx.connection.execute(LIVING, {"within": NEWS_WITHIN})
        return [LivingCall(**row._mapping) for row in found]


async def note_looks(world: World, looks: Collection[Look]) -> datetime | None:
    """Writes down what was seen; since when something has been found different, or a room's end unconfirmed, None for nothing."""
    # Two processes that write down the same calls lock them in the same order.
    looks = sorted(looks, key=lambda one: one.call.id)
    rows = {
        "ids": [one.call.id for one in looks],
        "sids": [None if one.room is None else one.room.sid for one in looks],
        "participants": [0 if one.room is None else one.room.participants for one in looks],
        "publishers": [0 if one.room is None else one.room.publishers for one in looks],
        "at": [one.at for one in looks],
        "due": [one.due_at for one in looks],
        "differs": [None if one.alike else one.at for one in looks],
    }
    before = {"before": world.clock.now() - FORGOTTEN_AFTER}
    async with world.transaction("reconcile.looked") as tx:
        if looks:
            await tx.connection.execute(NOTE, rows)
        await tx.connection.execute(FORGET, before)
        since: datetime | None = (await tx.connection.execute(OLDEST, before)).scalar_one()
        return since
