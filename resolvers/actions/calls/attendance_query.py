"""The query `callAttendance`."""

from domain import attendance
from domain.attendance import Attendance
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import timestamptz, uuid
from schema.types.calls import CallAttendanceInput
from schema.types.camel_case import camel_type


@camel_type
class CallAttendancePayload:
    """One person who was in the room. seconds leave out the times of a lost connection; lastLeftAt is null for who is in it now."""

    user_id: uuid
    first_joined_at: timestamptz
    last_left_at: timestamptz | None
    seconds: int
    user = table_row("nchat_users", key="user_id", description="The person, as the caller may see them.")


async def call_attendance(world: World, session: Session, input: CallAttendanceInput) -> list[CallAttendancePayload]:
    """Who was in the call, first come first, from when to when and for how long in all. For everyone who sees the call."""
    return [_shown(one) for one in await attendance.call_attendance(world, session, input.call_id)]


def _shown(one: Attendance) -> CallAttendancePayload:
    left_at = one.last_left_at
    return CallAttendancePayload(
        user_id=uuid(one.user_id),
        first_joined_at=timestamptz(one.first_joined_at.isoformat()),
        last_left_at=None if left_at is None else timestamptz(left_at.isoformat()),
        seconds=one.seconds,
    )


@camel_type
class Query:
    call_attendance = action(call_attendance)
