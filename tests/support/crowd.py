"""Many calls at once, written straight into the database, and what LiveKit says of them."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID, uuid4

import asyncpg
import orjson

from domain.webhooks.webhook_event import WebhookEvent

USERS = "INSERT INTO nchat_users (id, username, display_name) SELECT id, 'u' || id, 'U' FROM unnest($1::uuid[]) id"
CALLS = """
    INSERT INTO nchat_calls (id, room_name, room_sid, initiator_id, type, status, status_since, started_at)
    SELECT id, 'call_' || id, 'RM_' || left(id::text, 8), initiator, 'audio', $3::call_status, $4, $4
    FROM unnest($1::uuid[], $2::uuid[]) AS new (id, initiator)
"""
SEATS = """
    INSERT INTO nchat_call_participants (call_id, user_id, role, status, status_since)
    SELECT call_id, user_id, $3::participant_role, $4::participant_status, $5 FROM unnest($1::uuid[], $2::uuid[]) AS new (call_id, user_id)
"""
STEPS = """
    INSERT INTO nchat_call_events (call_id, seq, kind, payload)
    SELECT id, place + 1, 'call_state_changed', payload FROM unnest($1::uuid[]) AS new (id)
    CROSS JOIN unnest($2::jsonb[]) WITH ORDINALITY AS step (payload, place)
"""
COUNTED = "UPDATE nchat_call_counters SET event_seq = 1 + $2 WHERE call_id = ANY ($1::uuid[])"


@dataclass(frozen=True, slots=True)
class ManyCall:
    """One of them: who calls whom, and the ids of their connections."""

    id: UUID
    caller: UUID
    callee: UUID
    sids: tuple[str, str]

    @property
    def room(self) -> dict[str, object]:
        return {"name": f"call_{self.id}", "sid": f"RM_{str(self.id)[:8]}"}


async def connecting_calls(database: "asyncpg.Connection", number: int, *, since: datetime) -> list[ManyCall]:
    """Accepted at that moment; nobody has arrived."""
    return await _calls(database, number, since, ["ringing", "connecting"])


async def ringing_calls(database: "asyncpg.Connection", number: int, *, since: datetime) -> list[ManyCall]:
    """Ringing since that moment."""
    return await _calls(database, number, since, ["ringing"])


async def statuses(database: "asyncpg.Connection") -> dict[str, int]:
    """How many calls stand where."""
    counted = await database.fetch("SELECT status::text AS status, count(*) AS calls FROM nchat_calls GROUP BY 1")
    return {row["status"]: row["calls"] for row in counted}


def arrivals(call: ManyCall, now: datetime) -> list[WebhookEvent]:
    """Both are in the room."""
    people = zip((call.caller, call.callee), call.sids, strict=True)
    return [
        WebhookEvent(f"EV_{uuid4().hex}", "participant_joined", now, {"room": call.room, "participant": {"identity": str(who), "sid": sid}})
        for who, sid in people
    ]


async def _calls(database: "asyncpg.Connection", number: int, since: datetime, path: list[str]) -> list[ManyCall]:
    """`path` are the states that the calls have gone through; the callees are in the last of them."""
    calls = [ManyCall(uuid4(), uuid4(), uuid4(), (f"PA_{uuid4().hex[:12]}", f"PA_{uuid4().hex[:12]}")) for _ in range(number)]
    ids, callers, callees = [one.id for one in calls], [one.caller for one in calls], [one.callee for one in calls]
    steps = [{"from": before, "to": after, "reason": None} for before, after in pairwise(["initiated", *path])]
    async with database.transaction():
        await database.execute(USERS, [*callers, *callees])
        await database.execute(CALLS, ids, callers, path[-1], since)
        await database.execute(SEATS, ids, callers, "host", "connecting", since)
        await database.execute(SEATS, ids, callees, "participant", path[-1], since)
        await database.execute(STEPS, ids, [orjson.dumps(step).decode() for step in steps])
        await database.execute(COUNTED, ids, len(steps))
    return calls
