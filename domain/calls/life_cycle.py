"""The life of a call and of its participants: the allowed steps as data, and the guarded updates that walk them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.calls import events
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls

CallStatus = Literal["initiated", "ringing", "connecting", "connected", "reconnecting", "ended"]
EndReason = Literal["completed", "declined", "busy", "timeout", "cancelled", "failed", "no_answer", "network_error", "host_ended", "kicked"]
ParticipantStatus = Literal["invited", "ringing", "connecting", "connected", "disconnected", "left", "kicked"]

# Any call that still lives may end so, whatever its state.
ALWAYS: Final[frozenset[EndReason]] = frozenset({"host_ended", "timeout", "kicked"})
# And any that has begun.
BEGUN: Final[frozenset[EndReason]] = ALWAYS | {"completed"}
END_REASONS: Final[Mapping[CallStatus, frozenset[EndReason]]] = {
    "initiated": ALWAYS | {"cancelled", "busy", "failed", "no_answer"},
    "ringing": BEGUN | {"declined", "busy", "no_answer", "cancelled", "failed"},
    "connecting": BEGUN | {"failed", "cancelled"},
    "connected": BEGUN,
    "reconnecting": BEGUN | {"network_error"},
}
CALL_STEPS: Final[Mapping[CallStatus, frozenset[CallStatus]]] = {
    "initiated": frozenset({"ringing", "connecting", "ended"}),
    "ringing": frozenset({"connecting", "ended"}),
    "connecting": frozenset({"connected", "ended"}),
    "connected": frozenset({"reconnecting", "ended"}),
    "reconnecting": frozenset({"connected", "ended"}),
    "ended": frozenset(),
}
PARTICIPANT_STEPS: Final[Mapping[ParticipantStatus, frozenset[ParticipantStatus]]] = {
    "invited": frozenset({"ringing", "connecting", "left", "kicked"}),
    "ringing": frozenset({"connecting", "left", "kicked"}),
    "connecting": frozenset({"connected", "left", "kicked"}),
    "connected": frozenset({"disconnected", "left", "kicked"}),
    "disconnected": frozenset({"connected", "left", "kicked"}),
    # Who left and asks again waits in the lobby, where there is one.
    "left": frozenset({"invited", "ringing", "connecting", "kicked"}),
    "kicked": frozenset({"invited"}),
}
# Every status but the last.
LIVING: Final[tuple[CallStatus, ...]] = ("initiated", "ringing", "connecting", "connected", "reconnecting")
# What every move ends: nobody waits in the lobby or for a connection in another state.
NO_LONGER: Final[Mapping[str, object]] = {"rejoining_since": None, "lobby_waiting_since": None}
# What is over for someone who is out.
OUT: Final[Mapping[str, object]] = {
    "participant_sid": None,
    "is_screen_sharing": False,
    "screen_share_asked_at": None,
    "hand_raised_at": None,
    "connection_quality": None,
}
# In these a person holds one of the call's places.
SEATED: Final[tuple[ParticipantStatus, ...]] = ("connecting", "connected", "disconnected")


@dataclass(frozen=True, slots=True)
class CallStep:
    """One change of a call's status, as `call_state_changed` tells it. `reason` is the end's reason, otherwise null."""

    before: CallStatus
    after: CallStatus
    reason: EndReason | None = None

    @property
    def allowed(self) -> bool:
        """Whether the life cycle has this step."""
        if self.after not in CALL_STEPS[self.before]:
            return False
        return self.reason in END_REASONS[self.before] if self.after == "ended" else self.reason is None


async def move_call(
    tx: Transaction,
    call_id: UUID,
    step: CallStep,
    *,
    actor_id: UUID | None,
    now: datetime,
    **values: object,
) -> bool:
    """Takes the step if the call still stands at `step.before`, and writes its one `call_state_changed`.

    False, with nothing written, when another request was faster. ValueError for a step that the life cycle lacks.
    `values` are further columns of the same update.
    Sets `status_since`, and `started_at`, `connected_at`, `ended_at`, `end_reason` where the step is the first to know them.
    """
    if not step.allowed:
        raise ValueError(f"no such step: {step}")
    moved = await tx.connection.execute(
        sa.update(calls)
        .where(calls.c.id == call_id, calls.c.status == step.before)
        .values(status=step.after, status_since=now, **_stamps(step, now), **values)
        .returning(calls.c.id)
    )
    if moved.first() is None:
        return False
    events.changed(tx, call_id)
    await events.append(tx, call_id, "call_state_changed", actor_id, {"from": step.before, "to": step.after, "reason": step.reason})
    return True


def _stamps(step: CallStep, now: datetime) -> dict[str, object]:
    if step.after == "ended":
        return {"ended_at": now, "end_reason": step.reason}
    if step.after == "connected":
        return {"connected_at": sa.func.coalesce(calls.c.connected_at, now)}
    return {"started_at": sa.func.coalesce(calls.c.started_at, now)}


@dataclass(frozen=True, slots=True)
class Moved:
    """One participant whose state changed, and the state before."""

    participant_id: UUID
    user_id: UUID
    before: ParticipantStatus


async def move_participant(
    tx: Transaction, participant_id: UUID, to: ParticipantStatus, *, now: datetime, **values: object
) -> ParticipantStatus | None:
    """Moves one participant to `to` from any state that leads there; returns the state it came from.

    None, with nothing written, when its state leads elsewhere. `values` are further columns of the same update.
    Does not write the event: its kind depends on why the person moved, so the caller appends it to the same transaction.
    """
    moved = await move_participants(tx, [participant_id], to, now=now, **values)
    return moved[0].before if moved else None


async def move_participants(
    tx: Transaction, participant_ids: Sequence[UUID], to: ParticipantStatus, *, now: datetime, **values: object
) -> list[Moved]:
    """The same for several of one call in one statement; those that moved, in the order given."""
    mine, sources = call_participants.c, [source for source, targets in PARTICIPANT_STEPS.items() if to in targets]
    named = mine.id == sa.any_(sa.literal(list(participant_ids), pg.ARRAY(pg.UUID())))
    before = sa.select(mine.id, mine.status).where(named).with_for_update().cte("before")
    moved = await tx.connection.execute(
        sa.update(call_participants)
        .where(mine.id == before.c.id, before.c.status == sa.any_(sa.literal(sources, pg.ARRAY(mine.status.type))))
        .values(status=to, status_since=now, **{**NO_LONGER, **_presence(to, now), **values})
        .returning(mine.id, mine.call_id, mine.user_id, before.c.status.label("before"))
    )
    rows = {row.id: row for row in moved}
    for row in rows.values():
        events.changed(tx, row.call_id)
        if "ringing" in (row.before, to):
            events.ring_changed(tx, row.user_id)
    return [Moved(one, rows[one].user_id, rows[one].before) for one in participant_ids if one in rows]


def _presence(to: ParticipantStatus, now: datetime) -> dict[str, object]:
    """What a state brings with it: who is out has no connection, shares no screen and asks for nothing; who comes back has not left."""
    if to in ("left", "kicked"):
        return {"left_at": now, **OUT}
    if to == "ringing":
        return {"invited_at": now, "left_at": None, "leave_reason": None}
    if to == "connected":
        return {"joined_at": sa.func.coalesce(call_participants.c.joined_at, now), "left_at": None, "leave_reason": None}
    return {"left_at": None, "leave_reason": None}
