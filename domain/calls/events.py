"""The feed of a call: every event has the next number of its call, and a payload of known fields only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import Transaction
from schema.tables.call_events import call_events
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls
from schema.types.call_event_kinds import CALL_EVENTS

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
    "connection_quality_changed",
    "hand_raised",
    "hand_lowered",
    "unmute_asked",
    "lobby_waiting",
    "lobby_admitted",
    "lobby_denied",
    "role_changed",
    "kicked",
    "readmitted",
    "recording_started",
    "recording_consent_asked",
    "recording_consented",
    "recording_paused",
    "recording_resumed",
    "recording_stopped",
    "recording_ready",
    "recording_failed",
    "stream_started",
    "stream_ended",
]


@dataclass(frozen=True, slots=True)
class _Noted:
    call_id: UUID
    kind: EventKind
    actor_id: UUID | None
    payload: str


# All events of a transaction at once. Each counter's row stays locked until the commit, so seqs have no gap and are seen in order.
WRITE: Final = sa.text("""
    WITH noted AS (
        SELECT * FROM unnest(:calls, :kinds, :actors, :payloads) WITH ORDINALITY AS noted (call_id, kind, actor_id, payload, place)
    ), counted AS (
        SELECT call_id, count(*) AS many FROM noted GROUP BY call_id
    ), taken AS (
        UPDATE nchat_call_counters AS counter SET event_seq = counter.event_seq + counted.many
        FROM counted WHERE counter.call_id = counted.call_id
        RETURNING counter.call_id, counter.event_seq - counted.many AS before
    )
    INSERT INTO nchat_call_events (call_id, seq, kind, actor_id, payload)
    SELECT call_id, before + row_number() OVER (PARTITION BY call_id ORDER BY place), kind, actor_id, CAST(payload AS jsonb)
    FROM noted JOIN taken USING (call_id)
    RETURNING call_id, seq
""").bindparams(
    sa.bindparam("calls", type_=pg.ARRAY(pg.UUID())),
    sa.bindparam("kinds", type_=pg.ARRAY(sa.Text)),
    sa.bindparam("actors", type_=pg.ARRAY(pg.UUID())),
    sa.bindparam("payloads", type_=pg.ARRAY(sa.Text)),
)


async def append(
    tx: Transaction,
    call_id: UUID,
    kind: EventKind,
    actor_id: UUID | None,
    payload: Mapping[str, object],
    participant_id: UUID | None = None,
) -> None:
    """The call's next event; it gets its number when it is written, together with the transaction's others, before the commit.

    `actor_id` is null where nobody acted (a timeout, a webhook); `participant_id` names the row it is
    about and stands in the payload as `participantId`.
    Raises ValueError for a payload field that its kind does not list; the transaction ends with LookupError for an unknown call.
    """
    about = {} if participant_id is None else {"participantId": str(participant_id)}
    told = {**payload, **about}
    if unknown := told.keys() - CALL_EVENTS[kind].keys():
        raise ValueError(f"{kind} has no field {sorted(unknown)}")
    tx.note(_write, _Noted(call_id, kind, actor_id, json.dumps(told)))


async def _write(tx: Transaction, noted: Sequence[_Noted]) -> None:
    columns = {
        "calls": [one.call_id for one in noted],
        "kinds": [one.kind for one in noted],
        "actors": [one.actor_id for one in noted],
        "payloads": [one.payload for one in noted],
    }
    written = (await tx.connection.execute(WRITE, columns)).all()
    if len(written) != len(noted):
        raise LookupError("an event of a call that has no counter")
    for row in written:
        tx.hint(f"call:{row.call_id}", row.seq)
    tx.hint(f"table:{call_events.name}")


def changed(tx: Transaction, call_id: UUID) -> None:
    """Tells those who watch the call's row or its participants that something there is new."""
    tx.hint(f"call:{call_id}")
    tx.hint(f"table:{calls.name}")
    tx.hint(f"table:{call_participants.name}")


def ring_changed(tx: Transaction, user_id: UUID) -> None:
    """Tells a person's devices that one of their rings began or ended."""
    tx.hint(f"user:{user_id}")
