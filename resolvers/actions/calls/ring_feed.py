"""The subscription `incomingCalls`: the caller's own places in calls, read by the engine with the caller's permissions."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from strawberry.types import Info

from domain.feeds.incoming_calls import Change, Ring, Snapshot, follow_rings
from resolvers.actions.feed import feed, patient, person
from resolvers.hand_written.context import Context
from schema.table_types.scalars import timestamptz, uuid
from schema.types.call_events import IncomingCall, IncomingCallKind
from schema.types.camel_case import camel_type

LOOK: Final = """query ($me: uuid!, $known: [uuid!]!) {
  places: nchat_call_participants(
    where: {user_id: {_eq: $me}, _or: [{status: {_eq: "ringing"}}, {call_id: {_in: $known}}]}
    order_by: [{invited_at: asc}, {call_id: asc}]
  ) {
    call_id status leave_reason invited_at
    call { type channel_id ring_timeout_seconds initiator { id display_name avatar_url } }
  }
}"""


async def incoming_calls(info: Info[Context, None]) -> AsyncGenerator[IncomingCall, None]:
    """The caller's rings: first one snapshot of the calls that ring now, then each of these, then each that begins and how it ended."""
    read, session, me = patient(info.context.read), info.context.session, info.context.session.user_id

    async def look(known: Collection[UUID]) -> list[Ring]:
        found = await read(LOOK, {"me": str(me), "known": [str(call_id) for call_id in known]})
        return [_ring(row) for row in found["places"]]

    async with aclosing(follow_rings(info.context.world.ring_watch, session, look)) as changes:
        async for change in changes:
            yield _open_now(change) if isinstance(change, Snapshot) else _shown(change)


def _ring(row: dict[str, Any]) -> Ring:
    return Ring(UUID(row["call_id"]), row["invited_at"], row["status"], row["leave_reason"], row)


def _open_now(snapshot: Snapshot) -> IncomingCall:
    return IncomingCall(kind=cast(IncomingCallKind, "snapshot"), open_call_ids=list(map(uuid, snapshot.call_ids)))


def _shown(change: Change) -> IncomingCall:
    row: dict[str, Any] = change.ring.row
    call = row["call"]
    expires_at = datetime.fromisoformat(row["invited_at"]) + timedelta(seconds=call["ring_timeout_seconds"])
    return IncomingCall(
        # The view of a role reads an enum as the bare word.
        kind=cast(IncomingCallKind, change.kind),
        call_id=row["call_id"],
        type=call["type"],
        channel_id=call["channel_id"],
        caller=person(call["initiator"]),
        ring_expires_at=timestamptz(expires_at.isoformat()),
    )


@camel_type
class Subscription:
    incoming_calls = feed(incoming_calls)
