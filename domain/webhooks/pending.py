"""What waits in the inbox: found, taken under the locks of its calls and streams, and marked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.webhooks.webhook_event import ReceivedEvent
from domain.world import Transaction

# One look's worth.
LOOK: Final = 500
# As many failures, over about an hour, are enough: the event stays with its error and is not tried again.
MOST_ATTEMPTS: Final = 12

_IDS: Final = sa.bindparam("ids", type_=pg.ARRAY(sa.Text))
WAITING: Final = sa.text("""
    SELECT event.id, call.id AS call_id, stream.id AS stream_id FROM (
        SELECT id, payload #>> '{room,name}' AS room, received_at FROM nchat_webhook_events
        WHERE processed_at IS NULL AND next_attempt_at <= :now ORDER BY received_at, id LIMIT :look
    ) AS event LEFT JOIN nchat_calls AS call ON call.room_name = event.room
    LEFT JOIN nchat_streams AS stream ON stream.room_name = event.room AND stream.call_id IS NULL
    ORDER BY event.received_at, event.id
""")
OF_ROOMS: Final = sa.text("""
    SELECT id, event, payload, received_at, attempts FROM nchat_webhook_events
    WHERE processed_at IS NULL AND next_attempt_at <= :now AND payload #>> '{room,name}' = ANY(:rooms)
    ORDER BY received_at, id LIMIT :most FOR UPDATE SKIP LOCKED
""").bindparams(sa.bindparam("rooms", type_=pg.ARRAY(sa.Text)))
DONE: Final = sa.text("""
    UPDATE nchat_webhook_events SET processed_at = :now, error = NULL WHERE id = ANY(:ids) AND processed_at IS NULL
""").bindparams(_IDS)
# An attempt takes the event out of everybody's way for a growing while: 5 s, 10 s, 20 s … 10 min.
ATTEMPTED: Final = sa.text("""
    UPDATE nchat_webhook_events SET
        attempts = attempts + 1,
        next_attempt_at = CAST(:now AS timestamptz) + make_interval(secs => least(600, 5 * power(2, least(attempts, 10))))
    WHERE id = ANY(:ids) AND processed_at IS NULL
""").bindparams(_IDS)
FAILED: Final = sa.text("""
    UPDATE nchat_webhook_events AS event SET
        error = failure.said, processed_at = CASE WHEN event.attempts >= :most THEN CAST(:now AS timestamptz) END
    FROM unnest(:ids, :said) AS failure (id, said) WHERE event.id = failure.id AND event.processed_at IS NULL
    RETURNING event.id, event.event, event.error, event.processed_at IS NOT NULL AS given_up
""").bindparams(_IDS, sa.bindparam("said", type_=pg.ARRAY(sa.Text)))


@dataclass(frozen=True, slots=True)
class Waiting:
    """`calls` and `streams` whose rooms have events that are due, the longest waiting first; `strays` are events of nobody's room."""

    calls: Sequence[UUID]
    streams: Sequence[UUID]
    strays: Sequence[str]


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that can't be worked out: which, why, and whether it was tried for the last time."""

    id: str
    event: str
    error: str
    given_up: bool


async def waiting(tx: Transaction, now: datetime) -> Waiting:
    """What is due, as far as one look goes."""
    rows = (await tx.connection.execute(WAITING, {"now": now, "look": LOOK})).all()
    return Waiting(
        calls=list(dict.fromkeys(row.call_id for row in rows if row.call_id is not None)),
        streams=list(dict.fromkeys(row.stream_id for row in rows if row.stream_id is not None)),
        strays=[row.id for row in rows if row.call_id is None and row.stream_id is None],
    )


async def take(tx: Transaction, rooms: Collection[str], now: datetime, *, most: int) -> list[ReceivedEvent]:
    """The due events of these rooms in the order received; the caller holds the locks of whose they are, so that nobody else has them."""
    found = await tx.connection.execute(OF_ROOMS, {"rooms": list(rooms), "now": now, "most": most})
    return [ReceivedEvent(row.id, row.event, row.received_at, row.payload, row.attempts) for row in found]


async def mark_done(tx: Transaction, ids: Collection[str], now: datetime) -> None:
    """These are worked out, and nothing is owed for them."""
    if ids:
        await tx.connection.execute(DONE, {"ids": list(ids), "now": now})


async def mark_attempted(tx: Transaction, ids: Collection[str], now: datetime) -> None:
    """These are tried and not done with: they come again after a growing delay, unless they are marked done before."""
    if ids:
        await tx.connection.execute(ATTEMPTED, {"ids": list(ids), "now": now})


async def mark_failed(tx: Transaction, errors: Mapping[str, str], now: datetime) -> list[Failure]:
    """Writes why each attempted event is not done; whoever failed too often is given up."""
    if not errors:
        return []
    found = await tx.connection.execute(FAILED, {"ids": list(errors), "said": list(errors.values()), "most": MOST_ATTEMPTS, "now": now})
    return [Failure(row.id, row.event, row.error, row.given_up) for row in found]
