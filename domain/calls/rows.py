"""A call and its participants as values, read under the call's lock."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import Row

from domain.call_settings.channels import AutoRecord, RecordingConsent
from domain.calls.life_cycle import SEATED, CallStatus, EndReason, ParticipantStatus
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls

ONE_AT_A_TIME: Final = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('seats:' || :user, 0))")

ParticipantRole = Literal["host", "co_host", "participant", "viewer"]
CallType = Literal["audio", "video"]


@dataclass(frozen=True, slots=True)
class Call:
    id: UUID
    room_name: str
    room_sid: str | None
    channel_id: UUID | None
    initiator_id: UUID
    type: CallType
    status: CallStatus
    status_since: datetime
    end_reason: EndReason | None
    max_participants: int
    ring_timeout_seconds: int
    single_sharer: bool
    e2ee: bool
    lobby: bool
    auto_record: AutoRecord
    recording_consent: RecordingConsent
    auto_recorded_at: datetime | None

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "Call":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})

    @property
    def ended(self) -> bool:
        return self.status == "ended"


# What clients wrote into a row (`metadata`, `scheduled_at`) is not read where nobody asks for it: it may be long, or older than Python's
# calendar.
COLUMNS: Final = tuple(calls.c[name] for name in Call.__slots__)
# Made once: to put a statement together costs more than to send it.
LOCK_CALL: Final = sa.select(*COLUMNS).where(calls.c.id == sa.bindparam("call")).with_for_update()
ROSTERS: Final = (
    sa.select(call_participants)
    .where(call_participants.c.call_id == sa.any_(sa.bindparam("calls", type_=pg.ARRAY(pg.UUID()))))
    .order_by(call_participants.c.joined_at.nulls_last(), call_participants.c.invited_at, call_participants.c.id)
)
SEATS: Final = sa.select(call_participants.c.call_id).where(
    call_participants.c.user_id == sa.bindparam("user"),
    call_participants.c.status == sa.any_(sa.literal(list(SEATED), pg.ARRAY(call_participants.c.status.type))),
)
LOCK_SEATS: Final = sa.select(*COLUMNS).where(calls.c.id.in_(SEATS)).order_by(calls.c.id).with_for_update()
LOCK_SEATS_AND: Final = (
    sa.select(*COLUMNS)
    .where(calls.c.id.in_(sa.union_all(SEATS, sa.select(sa.bindparam("entering", type_=calls.c.id.type)))))
    .order_by(calls.c.id)
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Participant:
    id: UUID
    call_id: UUID
    user_id: UUID
    participant_sid: str | None
    role: ParticipantRole
    status: ParticipantStatus
    status_since: datetime
    invited_at: datetime
    joined_at: datetime | None
    leave_reason: str | None
    is_muted: bool
    is_video_enabled: bool
    is_screen_sharing: bool
    screen_share_asked_at: datetime | None
    rejoining_since: datetime | None
    lobby_waiting_since: datetime | None
    consented_at: datetime | None

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "Participant":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})

    @property
    def seated(self) -> bool:
        """Holds one of the call's seats."""
        return self.status in SEATED

    @property
    def waiting(self) -> bool:
        """Stands in the lobby until a host decides."""
        return self.lobby_waiting_since is not None

    @property
    def identity(self) -> str:
        """Who this is in the LiveKit room: the user's id, so that a second device replaces the first."""
        return str(self.user_id)


@dataclass(frozen=True, slots=True)
class Roster:
    """All participants of one call, longest in the call first."""

    participants: Sequence[Participant]

    @property
    def seated(self) -> list[Participant]:
        return [one for one in self.participants if one.seated]

    @property
    def ringing(self) -> list[Participant]:
        return [one for one in self.participants if one.status == "ringing"]

    @property
    def host(self) -> Participant | None:
        """Who hosts the call; there is one as long as anybody is in it."""
        return next((one for one in self.participants if one.role == "host"), None)

    def of_user(self, user_id: UUID) -> Participant | None:
        return next((one for one in self.participants if one.user_id == user_id), None)

    def by_id(self, participant_id: UUID) -> Participant | None:
        return next((one for one in self.participants if one.id == participant_id), None)

    def is_direct(self, call: Call) -> bool:
        """A direct call: no channel and never more than two participant rows (rows are never deleted)."""
        return call.channel_id is None and len(self.participants) <= 2


async def lock_call(tx: Transaction, call_id: UUID) -> Call | None:
    """The call, locked until the commit; None when there is none. The one lock order: the call's row, then its participants."""
    row = (await tx.connection.execute(LOCK_CALL, {"call": call_id})).first()
    return None if row is None else Call.of(row)


async def lock_seats(tx: Transaction, user_id: UUID, entering: UUID | None = None) -> list[Call]:
    """The calls that a person holds a seat in, and the one to be entered, locked until the commit; of one person one at a time.

    Several calls are always locked in the order of their ids, so that two who lock some of the same never wait for each other.
    """
    await tx.connection.execute(ONE_AT_A_TIME, {"user": str(user_id)})
    if entering is None:
        found = await tx.connection.execute(LOCK_SEATS, {"user": user_id})
    else:
        found = await tx.connection.execute(LOCK_SEATS_AND, {"user": user_id, "entering": entering})
    return [Call.of(row) for row in found]


async def lock_free_calls(tx: Transaction, call_ids: Collection[UUID]) -> list[Call]:
    """Those of the calls that nobody holds, locked until the commit. Whoever holds several never waits for another: no deadlock."""
    mine = sa.select(*COLUMNS).where(_among(calls.c.id, call_ids)).order_by(calls.c.id).with_for_update(skip_locked=True)
    return [Call.of(row) for row in await tx.connection.execute(mine)]


async def roster(tx: Transaction, call_id: UUID) -> Roster:
    """The call's participants; the caller holds the call's lock, under which all of them are written."""
    return (await rosters(tx, [call_id]))[call_id]


async def rosters(tx: Transaction, call_ids: Collection[UUID]) -> dict[UUID, Roster]:
    """The same of several calls."""
    people: dict[UUID, list[Participant]] = {call_id: [] for call_id in call_ids}
    for row in await tx.connection.execute(ROSTERS, {"calls": list(call_ids)}):
        people[row.call_id].append(Participant.of(row))
    return {call_id: Roster(participants) for call_id, participants in people.items()}


def _among(column: sa.Column[UUID], ids: Collection[UUID]) -> sa.ColumnElement[bool]:
    return column == sa.any_(sa.literal(list(ids), pg.ARRAY(pg.UUID())))


async def participant(tx: Transaction, participant_id: UUID) -> Participant:
    """One participant as the row stands now; the row must exist."""
    found = await tx.connection.execute(sa.select(call_participants).where(call_participants.c.id == participant_id))
    return Participant.of(found.one())
