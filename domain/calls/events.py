"""The feed of a call: every event has the next number of its call, and a payload of known fields only."""

from collections.abc import Mapping
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa

from domain.world import Transaction
from schema.tables.call_events import call_counters, call_events
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls

EventKind = Literal[
    "call_initiate",
    "call_incoming",
    "call_accept",
    "call_decline",
    "call_cancelled",
    "call_end",
    "call_state_changed",
    "call_participant_joined",
    "call_participant_disconnected",
    "call_participant_left",
    "call_mute_changed",
    "call_video_changed",
    "call_screen_share_started",
    "call_screen_share_stopped",
    "role_changed",
    "kicked",
    "readmitted",
]

# Whatever stands here is read by everyone who may see the call: no token, key or path.
PAYLOAD_FIELDS: Final[Mapping[EventKind, frozenset[str]]] = {
    "call_initiate": frozenset(),
    "call_incoming": frozenset(),
    "call_accept": frozenset(),
    "call_decline": frozenset({"reason"}),
    "call_cancelled": frozenset(),
    "call_end": frozenset({"reason"}),
    "call_state_changed": frozenset({"from", "to", "reason"}),
    "call_participant_joined": frozenset(),
    "call_participant_disconnected": frozenset({"reason"}),
    "call_participant_left": frozenset({"reason"}),
    "call_mute_changed": frozenset({"trackType", "muted"}),
    "call_video_changed": frozenset({"enabled"}),
    "call_screen_share_started": frozenset(),
    "call_screen_share_stopped": frozenset(),
    "role_changed": frozenset({"from", "to"}),
    "kicked": frozenset({"reason"}),
    "readmitted": frozenset(),
}


async def append(
    tx: Transaction,
    call_id: UUID,
    kind: EventKind,
    actor_id: UUID | None,
    payload: Mapping[str, object],
    participant_id: UUID | None = None,
) -> int:
    """Writes the call's next event and returns its seq; the counter's row is locked until the commit, so seqs have no gap.

    `actor_id` is null where nobody acted (a timeout, a webhook); `participant_id` names the row it is
    about and stands in the payload as `participantId`.
    Raises ValueError for a payload field that its kind does not list, LookupError for an unknown call.
    """
    if unknown := payload.keys() - PAYLOAD_FIELDS[kind]:
        raise ValueError(f"{kind} has no field {sorted(unknown)}")
    about = {} if participant_id is None else {"participantId": str(participant_id)}
    step = sa.update(call_counters).where(call_counters.c.call_id == call_id).values(event_seq=call_counters.c.event_seq + 1)
    taken = step.returning(call_counters.c.event_seq).cte("taken")
    row = sa.select(
        sa.literal(call_id, call_events.c.call_id.type),
        taken.c.event_seq,
        sa.literal(kind, call_events.c.kind.type),
        sa.literal(actor_id, call_events.c.actor_id.type),
        sa.literal({**payload, **about}, call_events.c.payload.type),
    )
    written = await tx.connection.execute(
        sa.insert(call_events).from_select(["call_id", "seq", "kind", "actor_id", "payload"], row).returning(call_events.c.seq)
    )
    seq: int | None = written.scalar_one_or_none()
    if seq is None:
        raise LookupError(f"call {call_id} has no counter")
    tx.hint(f"call:{call_id}", seq)
    tx.hint(f"table:{call_events.name}")
    return seq


def changed(tx: Transaction, call_id: UUID) -> None:
    """Tells those who watch the call's row or its participants that something there is new."""
    tx.hint(f"call:{call_id}")
    tx.hint(f"table:{calls.name}")
    tx.hint(f"table:{call_participants.name}")


def ring_changed(tx: Transaction, user_id: UUID) -> None:
    """Tells a person's devices that one of their rings began or ended."""
    tx.hint(f"user:{user_id}")
