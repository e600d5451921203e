"""The subscription `callEvents`: pages that the engine reads with the caller's permissions."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry
from strawberry.types import Info

from domain.errors import NotFound, ParticipantKicked
from domain.feeds.call_events import PAGE, Event, Page, follow_call
from resolvers.actions.feed import feed, patient, person
from resolvers.hand_written.context import Context, Read
from schema.table_types.scalars import bigint, jsonb, timestamptz, uuid
from schema.types.call_events import CallEvent
from schema.types.camel_case import camel_type

# One statement, so that the right and the events are of one moment. The limit is ours: a rule's own does not cut a replay.
LOOK: Final = """query ($call: uuid!, $after: bigint!, $page: Int!) {
  call: nchat_calls_by_pk(id: $call) { id }
  last: nchat_call_events(where: {call_id: {_eq: $call}}, order_by: {seq: desc}, limit: 1) { seq }
  page: nchat_call_events(where: {call_id: {_eq: $call}, seq: {_gt: $after}}, order_by: {seq: asc}, limit: $page) {
    seq kind payload created_at actor { id display_name avatar_url }
  }
}"""
PEOPLE: Final = """query ($ids: [uuid!]!) { people: nchat_call_participants(where: {id: {_in: $ids}}) { id user_id } }"""


async def call_events(
    info: Info[Context, None],
    call_id: Annotated[uuid, strawberry.argument(name="callId")],
    after: bigint | None = strawberry.UNSET,
) -> AsyncGenerator[CallEvent, None]:
    """What happens in a call: the events after the seq `after` (0: all, null: from now on), then each new one, gapless and in order."""
    read, hub = patient(info.context.read), info.context.world.hub
    people = _People(read)

    async def look(cursor: int) -> Page:
        page = await _look(read, call_id, cursor)
        await people.learn({_about(event) for event in page.events})
        return page

    async with aclosing(follow_call(hub, call_id, None if after is strawberry.UNSET else after, look)) as events:
        async for event in events:
            yield _shown(call_id, event, people)


class _People:
    """Who the participants are that events name. That never changes, so each is read once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._user_ids: dict[uuid | None, uuid] = {}

    async def learn(self, participant_ids: Collection[uuid | None]) -> None:
        """Whoever is hidden by now stays unknown: the right to the call was lost a moment ago, as the next look will find."""
        unknown = set(participant_ids) - self._user_ids.keys() - {None}
        if unknown:
            found = await self._read(PEOPLE, {"ids": list(unknown)})
            self._user_ids |= {row["id"]: row["user_id"] for row in found["people"]}

    def user_id(self, participant_id: uuid | None) -> uuid | None:
        return self._user_ids.get(participant_id)


def _about(event: Event) -> uuid | None:
    participant_id: uuid | None = event.row["payload"].get("participantId")
    return participant_id


async def _look(read: Read, call_id: UUID, after: int) -> Page:
    """Raises NotFound, or ParticipantKicked where the call is visible and its events are not: each call has at least one."""
    found = await read(LOOK, {"call": str(call_id), "after": after, "page": PAGE})
    if found["call"] is None:
        raise NotFound
    if not found["last"]:
        raise ParticipantKicked
    return Page([Event(row["seq"], row) for row in found["page"]], found["last"][0]["seq"])


def _shown(call_id: uuid, event: Event, people: _People) -> CallEvent:
    row: dict[str, Any] = event.row
    return CallEvent(
        seq=bigint(event.seq),
        kind=row["kind"],
        call_id=call_id,
        actor=person(row["actor"]),
        participant_id=_about(event),
        user_id=people.user_id(_about(event)),
        payload=jsonb(row["payload"]),
        created_at=timestamptz(row["created_at"]),
    )


@camel_type
class Subscription:
    call_events = feed(call_events)
