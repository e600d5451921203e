"""The subscription `callEvents`: pages that the engine reads with the permissions of those who follow."""

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Annotated, Any, Final, cast

import strawberry

from domain.errors import NotFound, ParticipantKicked
from resolvers.actions.feed import person, room_feed
from resolvers.hand_written.context import Read
from resolvers.hand_written.room_feed import PAGE, ROOM, Counter, Event, Place, Right, RoomFeed
from schema.model import TableName
from schema.table_types.scalars import bigint, jsonb, timestamptz, uuid
from schema.tables.history import EPOCH
from schema.types.call_events import CallEvent
from schema.types.camel_case import camel_type

# The limit is ours: a rule's own does not cut a replay.
EVENTS: Final = """query ($call: uuid!, $after: bigint!, $page: Int!) {
  page: nchat_call_events(where: {call_id: {_eq: $call}, seq: {_gt: $after}}, order_by: {seq: asc}, limit: $page) {
    seq kind payload created_at actor { id display_name avatar_url }
  }
}"""
PEOPLE: Final = """query ($ids: [uuid!]!) { people: nchat_call_participants(where: {id: {_in: $ids}}) { id user_id } }"""

CALLS, CALL_EVENTS = TableName("public", "nchat_calls"), TableName("public", "nchat_call_events")
PARTICIPANTS, USERS = TableName("public", "nchat_call_participants"), TableName("public", "nchat_users")


class _Pages:
    """Who the participants are that events name never changes, so each is read once."""

    def __init__(self) -> None:
        self._user_ids: dict[uuid | None, uuid] = {}

    async def __call__(self, read: Read, room: str, after: int, epoch: str) -> Sequence[Event]:
        rows = (await read(EVENTS, {"call": room, "after": after, "page": PAGE}))["page"]
        await self._learn(read, {_about(row) for row in rows})
        return [Event(row["seq"], self._shown(row, room, epoch), hidden=not self._knows(_about(row))) for row in rows]

    async def _learn(self, read: Read, participant_ids: Collection[uuid | None]) -> None:
        unknown = set(participant_ids) - self._user_ids.keys() - {None}
        if unknown:
            found = await read(PEOPLE, {"ids": list(unknown)})
            self._user_ids |= {row["id"]: row["user_id"] for row in found["people"]}

    def _knows(self, participant_id: uuid | None) -> bool:
        return participant_id is None or participant_id in self._user_ids

    def _shown(self, row: dict[str, Any], room: str, epoch: str) -> CallEvent:
        return CallEvent(
            seq=bigint(row["seq"]),
            epoch=epoch,
            kind=row["kind"],
            call_id=cast(uuid, room),
            actor=person(row["actor"]),
            participant_id=_about(row),
            user_id=self._user_ids.get(_about(row)),
            payload=jsonb(row["payload"]),
            created_at=timestamptz(row["created_at"]),
        )


def _about(row: dict[str, Any]) -> uuid | None:
    participant_id: uuid | None = row["payload"].get("participantId")
    return participant_id


FEED: Final = RoomFeed(
    name="callEvents",
    topic=lambda call_id: f"call:{call_id}",
    counter=Counter(TableName("public", "nchat_call_counters"), "call_id", "event_seq"),
    epoch=EPOCH,
    # Each call has a first event. Where the call is visible and its events are not, the person was removed from it.
    rights=[Right(CALLS, {"id": ROOM}, NotFound), Right(CALL_EVENTS, {"call_id": ROOM, "seq": 1}, ParticipantKicked)],
    within={CALL_EVENTS: "call", PARTICIPANTS: "call"},
    beside=[USERS],
    page=lambda _: _Pages(),
)


def call_events(
    call_id: Annotated[uuid, strawberry.argument(name="callId")],
    after: bigint | None = strawberry.UNSET,
    epoch: str | None = strawberry.UNSET,
) -> AsyncGenerator[CallEvent, None]:
    """What happens in a call: the events after the seq `after` (0: all, null: from now on), then each new one, gapless and in order.

    With the `epoch` of the last event it is told (history-changed) when the database was restored to an older state since.
    """
    place = Place(FEED, str(call_id), None if after is strawberry.UNSET else after, epoch or None)
    return cast(AsyncGenerator[CallEvent, None], place)


@camel_type
class Subscription:
    call_events = room_feed(call_events)
