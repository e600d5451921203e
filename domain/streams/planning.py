"""A stream is written down: by itself, or with its start."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.calls.ringing import require_member
from domain.errors import InvalidInput, NotFound
from domain.input_checks import require_text
from domain.streams.life_cycle import changed
from domain.streams.rows import COLUMNS, Stream, Visibility
from domain.world import Transaction, World
from schema.tables.streams import streams

LONGEST_TITLE: Final = 200
LONGEST_DESCRIPTION: Final = 10_000
# PostgreSQL's calendar is longer than Python's, and calendars of people end before both.
LAST_YEAR: Final = 9000


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What a stream is to be. A repeated `client_request_id` of the same host is the same stream.

    Channel and title are None where a broadcast is to have those of its call.
    """

    channel_id: UUID | None = None
    title: str | None = None
    description: str | None = None
    visibility: Visibility = "channel_members"
    scheduled_at: datetime | None = None
    chat: bool = True
    reactions: bool = True
    record: bool = False
    client_request_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The call that a stream shows: it is in the call's room."""

    call_id: UUID
    room_name: str


async def write(tx: Transaction, world: World, host_id: UUID, plan: StreamPlan, broadcast: Broadcast | None = None) -> tuple[Stream, bool]:
    """The planned stream, and whether it is new: a repeated request has the one that is there.

    Refuses with InvalidInput and NotFound (a channel that the host is not in).
    """
    earlier = await _written_before(tx, host_id, plan)
    if earlier is not None:
        return earlier, False
    channel_id, title = _checked(plan, world.clock.now())
    await require_member(tx, host_id, channel_id)
    values = _values(plan, world.clock.now()) | {"host_id": host_id, "channel_id": channel_id, "title": title}
    if broadcast is not None:
        values |= {"call_id": broadcast.call_id, "room_name": broadcast.room_name}
    insert = pg.insert(streams).values(values).on_conflict_do_nothing(index_elements=["host_id", "client_request_id"])
    row = (await tx.connection.execute(insert.returning(*COLUMNS))).first()
    if row is not None:
        stream = Stream.of(row)
        changed(tx, stream)
        return stream, True
    # Another request with the same id was faster; its row is committed, or the insert would still wait for it.
    faster = await _written_before(tx, host_id, plan)
    if faster is None:
        raise NotFound
    return faster, False


def _values(plan: StreamPlan, now: datetime) -> dict[str, object]:
    return {
        "description": plan.description,
        "visibility": plan.visibility,
        "scheduled_at": plan.scheduled_at,
        "chat_enabled": plan.chat,
        "reactions_enabled": plan.reactions,
        "record_stream": plan.record,
        "client_request_id": plan.client_request_id,
        "status_since": now,
        "created_at": now,
    }


async def _written_before(tx: Transaction, host_id: UUID, plan: StreamPlan) -> Stream | None:
    if plan.client_request_id is None:
        return None
    same = (streams.c.host_id == host_id, streams.c.client_request_id == plan.client_request_id)
    row = (await tx.connection.execute(sa.select(*COLUMNS).where(*same))).first()
    return None if row is None else Stream.of(row)


def _checked(plan: StreamPlan, now: datetime) -> tuple[UUID, str]:
    """Channel and title."""
    if plan.channel_id is None or plan.title is None or not (title := plan.title.strip()):
        raise InvalidInput("A stream needs channelId and title.")
    require_text("title", title, LONGEST_TITLE)
    if plan.description is not None:
        require_text("description", plan.description, LONGEST_DESCRIPTION)
    if plan.scheduled_at is not None and (plan.scheduled_at < now or plan.scheduled_at.year > LAST_YEAR):
        raise InvalidInput("scheduledAt is in the future.")
    return plan.channel_id, title
