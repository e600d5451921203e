"""Demo data: six people, one channel and a few finished calls, with ids that outside programs may rely on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from schema.tables.call_events import call_counters, call_events
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls
from schema.tables.channels import channel_members, channels
from schema.tables.users import users

# An event: its kind, who did it, its payload and when.
Told = tuple[str, UUID | None, dict[str, object], datetime]


def user_id(number: int) -> UUID:
    """The id of the demo user with this number, 1 to 6 in the order of USERS."""
    return UUID(f"00000000-0000-4000-8000-{number:012d}")


USERS = {
    "alice": "Alice Adams",
    "bob": "Bob Brown",
    "carol": "Carol Clark",
    "dave": "Dave Davis",
    "mallory": "Mallory Moss",
    "mod": "Mo Dunn",
}
USER_IDS = {name: user_id(number) for number, name in enumerate(USERS, start=1)}
GENERAL = UUID("00000000-0000-4000-8000-000000000101")
# mallory shares no channel with anybody; mod is a moderator by role and needs no membership.
MEMBERS = {"alice": "owner", "bob": "moderator", "carol": "member", "dave": "member"}


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call that is over. `talked` is None when nobody answered; the first of `people` started it."""

    ended_ago: timedelta
    people: tuple[str, ...]
    type: str
    reason: str
    rang: timedelta
    talked: timedelta | None = None
    channel: UUID | None = None


FINISHED = (
    FinishedCall(timedelta(hours=2), ("alice", "bob"), "video", "completed", timedelta(seconds=6), timedelta(minutes=12, seconds=31)),
    FinishedCall(timedelta(hours=5), ("bob", "alice"), "audio", "no_answer", timedelta(seconds=45)),
    FinishedCall(
        timedelta(days=1), ("carol", "alice", "bob", "dave"), "video", "host_ended", timedelta(seconds=9), timedelta(minutes=47), GENERAL
    ),
    FinishedCall(timedelta(days=2), ("dave", "carol"), "audio", "declined", timedelta(seconds=4)),
    FinishedCall(timedelta(days=3), ("alice", "dave"), "audio", "completed", timedelta(seconds=11), timedelta(minutes=3, seconds=5)),
)


async def seed(database_url: str) -> None:
    """Writes what is missing into a migrated database (`postgresql://…`); a second time changes nothing."""
    engine = create_async_engine(sa.make_url(database_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    async with engine.begin() as connection:
        await _add(connection, users, [{"id": USER_IDS[name], "username": name, "display_name": full} for name, full in USERS.items()])
        await _add(connection, channels, [{"id": GENERAL, "name": "general"}])
        members = [{"channel_id": GENERAL, "user_id": USER_IDS[name], "role": role} for name, role in MEMBERS.items()]
        await _add(connection, channel_members, members)
        for number, call in enumerate(FINISHED, start=1):
            await _add_call(connection, UUID(f"00000000-0000-4000-8000-{200 + number:012d}"), call, datetime.now(UTC))
    await engine.dispose()


async def _add(connection: AsyncConnection, table: sa.Table, rows: Sequence[dict[str, object]]) -> bool:
    """Inserts the rows that are not there yet; whether there was any."""
    added = await connection.execute(insert(table).values(list(rows)).on_conflict_do_nothing().returning(sa.literal(1)))
    return added.first() is not None


async def _add_call(connection: AsyncConnection, call_id: UUID, call: FinishedCall, now: datetime) -> None:
    history = _History(call_id, call, now)
    if not await _add(connection, calls, [history.call_row()]):
        return
    await _add(connection, call_participants, history.participant_rows())
    events = history.event_rows()
    # The trigger has written the first event: it only moves to its time.
    first = sa.update(call_events).where(call_events.c.call_id == call_id, call_events.c.seq == 1)
    await connection.execute(first.values(created_at=history.began))
    await _add(connection, call_events, events)
    last = sa.update(call_counters).where(call_counters.c.call_id == call_id)
    await connection.execute(last.values(event_seq=1 + len(events)))


class _History:
    """The rows of one finished call, each at its time."""

    def __init__(self, call_id: UUID, call: FinishedCall, now: datetime) -> None:
        self.call_id, self.call = call_id, call
        self.ended = now - call.ended_ago
        self.connected = self.ended - call.talked if call.talked is not None else None
        self.began = (self.connected or self.ended) - call.rang
        self.ids = [USER_IDS[name] for name in call.people]

    def call_row(self) -> dict[str, object]:
        return {
            "id": self.call_id,
            "channel_id": self.call.channel,
            "initiator_id": self.ids[0],
            "type": self.call.type,
            "status": "ended",
            "status_since": self.ended,
            "end_reason": self.call.reason,
            "created_at": self.began,
            "updated_at": self.ended,
            "started_at": self.began,
            "connected_at": self.connected,
            "ended_at": self.ended,
        }

    def participant_rows(self) -> list[dict[str, object]]:
        return [
            {
                "id": self._participant(person),
                "call_id": self.call_id,
                "user_id": person,
                "role": "host" if person == self.ids[0] else "participant",
                "status": "left",
                "status_since": self.ended,
                "invited_at": self.began,
                "joined_at": self.connected,
                "left_at": self.ended,
                "leave_reason": self._leave_reason(person),
            }
            for person in self.ids
        ]

    def event_rows(self) -> list[dict[str, object]]:
        """Everything after `call_initiate`, in order."""
        caller, others = self.ids[0], self.ids[1:]
        told: list[Told] = [("call_state_changed", caller, {"from": "initiated", "to": "ringing", "reason": None}, self.began)]
        told += [("call_incoming", caller, self._about(person), self.began) for person in others]
        told += self._answered() if self.connected else self._unanswered()
        before = "connected" if self.connected else "ringing"
        told.append(("call_state_changed", None, {"from": before, "to": "ended", "reason": self.call.reason}, self.ended))
        told.append(("call_end", None, {"reason": self.call.reason}, self.ended))
        return [
            {"call_id": self.call_id, "seq": seq, "kind": kind, "actor_id": actor, "payload": payload, "created_at": at}
            for seq, (kind, actor, payload, at) in enumerate(told, start=2)
        ]

    def _answered(self) -> list[Told]:
        assert self.connected is not None  # noqa: S101
        joined: list[Told] = [("call_participant_joined", person, self._about(person), self.connected) for person in self.ids]
        return [
            ("call_accept", self.ids[1], self._about(self.ids[1]), self.connected),
            ("call_state_changed", self.ids[1], {"from": "ringing", "to": "connecting", "reason": None}, self.connected),
            *joined,
            ("call_state_changed", None, {"from": "connecting", "to": "connected", "reason": None}, self.connected),
        ]

    def _unanswered(self) -> list[Told]:
        if self.call.reason != "declined":
            return []
        return [("call_decline", self.ids[1], {"reason": "declined"} | self._about(self.ids[1]), self.ended)]

    def _leave_reason(self, person: UUID) -> str:
        if self.connected or person == self.ids[0]:
            return "user_left" if self.call.reason == "completed" else "call_ended"
        return "declined" if self.call.reason == "declined" else "missed"

    def _participant(self, person: UUID) -> UUID:
        return uuid5(self.call_id, str(person))

    def _about(self, person: UUID) -> dict[str, object]:
        return {"participantId": str(self._participant(person))}
