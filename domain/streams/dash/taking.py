"""Which streams are repackaged now, each by one process for as long as it says so; and what everybody may know of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.recordings.playing.addresses import UNSIGNED_DASH
from domain.streams.life_cycle import TOPIC
from domain.world import World

# Renewed with each segment; whoever dies at one leaves it for so long.
TAKEN_FOR: Final = timedelta(seconds=60)
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(seconds=60)
MOST_TRIES: Final = 12
THERE: Final = "recording.status <> 'deleted' AND recording.delete_asked_at IS NULL"
# Only what begins while the deployment wants it.
PLAN: Final = sa.text(f"""
    INSERT INTO nchat_stream_dash (stream_id, recording_id, not_before)
    SELECT stream.id, recording.id, :now
    FROM nchat_streams AS stream JOIN nchat_call_recordings AS recording ON recording.id = stream.recording_id
    WHERE stream.status = 'live' AND stream.visibility = 'public' AND {THERE}
    ON CONFLICT DO NOTHING
""")  # noqa: S608 - a condition of ours
TAKE: Final = sa.text(f"""
    WITH due AS (
        SELECT dash.stream_id FROM nchat_stream_dash AS dash
            JOIN nchat_streams AS stream ON stream.id = dash.stream_id
            JOIN nchat_call_recordings AS recording ON recording.id = dash.recording_id
        WHERE dash.completed_at IS NULL AND dash.not_before <= :now AND (dash.taken_until IS NULL OR dash.taken_until <= :now)
            AND stream.visibility = 'public' AND {THERE}
        ORDER BY dash.not_before LIMIT :most FOR UPDATE OF dash SKIP LOCKED
    )
    UPDATE nchat_stream_dash AS dash SET taken_until = :until, attempts = dash.attempts + 1
    FROM due, nchat_call_recordings AS recording
    WHERE dash.stream_id = due.stream_id AND recording.id = dash.recording_id
    RETURNING dash.stream_id, dash.recording_id, dash.attempts AS attempt, dash.path_prefix AS shown, dash.making_prefix AS made,
        recording.storage_bucket AS bucket
""")  # noqa: S608
BEGIN: Final = sa.text("UPDATE nchat_stream_dash SET making_prefix = :prefix WHERE stream_id = :stream AND attempts = :attempt")
# As long as the attempt is the one that was taken nobody else has it; what fewer may watch, or is to go, is repackaged no further.
KEEP: Final = sa.text(f"""
    UPDATE nchat_stream_dash AS dash SET taken_until = :until
    FROM nchat_streams AS stream, nchat_call_recordings AS recording
    WHERE dash.stream_id = :stream AND dash.attempts = :attempt AND stream.id = dash.stream_id AND recording.id = dash.recording_id
        AND stream.visibility = 'public' AND {THERE}
    RETURNING dash.stream_id
""")  # noqa: S608
# Not before it has come as far as what it takes the place of.
TOLD: Final = sa.text("""
    UPDATE nchat_stream_dash AS dash SET path_prefix = making_prefix, segments = :segments, url = :url
    WHERE dash.stream_id = :stream AND dash.attempts = :attempt AND (dash.segments <= :segments OR :complete) RETURNING dash.stream_id
""").bindparams(sa.bindparam("complete", type_=sa.Boolean), sa.bindparam("url", type_=sa.Text))
SERVES: Final = sa.text(f"""
    SELECT dash.stream_id FROM nchat_stream_dash AS dash JOIN nchat_call_recordings AS recording ON recording.id = dash.recording_id
    WHERE dash.stream_id = :stream AND dash.path_prefix = :prefix AND {THERE}
""")  # noqa: S608
LET_GO: Final = sa.text("""
    UPDATE nchat_stream_dash SET taken_until = NULL, not_before = :next, completed_at = :completed
    WHERE stream_id = :stream AND attempts = :attempt
""")
SHOW: Final = sa.text("""
    UPDATE nchat_streams AS stream SET dash_url = dash.url FROM nchat_stream_dash AS dash
    WHERE dash.stream_id = :stream AND stream.id = dash.stream_id AND stream.visibility = 'public'
        AND stream.dash_url IS DISTINCT FROM dash.url
    RETURNING stream.id
""")


@dataclass(frozen=True, slots=True)
class DashInHand:
    """A stream in the hands of one process. `attempt` tells this hand from earlier ones; `shown` is what everybody gets now, `made` what
    the hand before had begun."""

    stream_id: UUID
    recording_id: UUID
    attempt: int
    shown: str | None
    made: str | None
    bucket: str | None

    @property
    def asked(self) -> dict[str, object]:
        return {"stream": self.stream_id, "attempt": self.attempt}


async def take(world: World, most: int) -> Sequence[DashInHand]:
    """Up to so many of those that are due."""
    now = world.clock.now()
    async with world.transaction("dash.take") as tx:
        await tx.connection.execute(PLAN, {"now": now})
        found = await tx.connection.execute(TAKE, {"now": now, "until": now + TAKEN_FOR, "most": most})
        return [DashInHand(**row._mapping) for row in found]


async def begin(world: World, dash: DashInHand, prefix: str) -> None:
    """What is made from now on lies there."""
    async with world.transaction("dash.begin") as tx:
        await tx.connection.execute(BEGIN, dash.asked | {"prefix": prefix})


async def keep(world: World, dash: DashInHand) -> bool:
    """Whether it is still wanted, and this process's."""
    async with world.transaction("dash.keep") as tx:
        return (await tx.connection.execute(KEEP, dash.asked | {"until": world.clock.now() + TAKEN_FOR})).first() is not None


async def told(world: World, dash: DashInHand, segments: int, *, complete: bool) -> bool:
    """A manifest of so many segments is stored: it takes the place of an earlier one that had no more. Whether it did."""
    url = f"{world.public_url}/media/dash/{dash.stream_id}/{UNSIGNED_DASH}"
    values = {"segments": segments, "complete": complete, "url": url}
    async with world.transaction("dash.told") as tx:
        if (await tx.connection.execute(TOLD, dash.asked | values)).first() is None:
            return False
        if (await tx.connection.execute(SHOW, {"stream": dash.stream_id})).first() is not None:
            tx.hint(TOPIC)
            tx.hint(f"stream:{dash.stream_id}")
        return True


async def serves(world: World, dash: DashInHand, prefix: str) -> bool:
    """Whether that is what everybody gets, or would get if the stream were public."""
    async with world.transaction("dash.serves") as tx:
        return (await tx.connection.execute(SERVES, {"stream": dash.stream_id, "prefix": prefix})).first() is not None


async def complete(world: World, dash: DashInHand) -> None:
    """Nothing more is to be done."""
    await _let_go(world, dash, world.clock.now(), completed=True)


async def put_off(world: World, dash: DashInHand) -> bool:
    """Later again, after a pause that grows with each try; False where that was the last."""
    last = dash.attempt >= MOST_TRIES
    pause = min(FIRST_PAUSE * 2 ** min(dash.attempt - 1, 10), LONGEST_PAUSE)
    await _let_go(world, dash, world.clock.now() + pause, completed=last)
    return not last


async def _let_go(world: World, dash: DashInHand, again: datetime, *, completed: bool) -> None:
    values = {"next": again, "completed": world.clock.now() if completed else None}
    async with world.transaction("dash.let_go") as tx:
        await tx.connection.execute(LET_GO, dash.asked | values)
