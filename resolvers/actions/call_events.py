"""The subscription `callEvents`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from domain.feeds.call_events import follow_call
from resolvers.actions.caller import caller
from resolvers.actions.feed import feed
from resolvers.actions.people import person
from schema.scalars import bigint, jsonb, timestamptz, uuid
from schema.types.call_events import CallEvent
from schema.types.camel_case import camel_type


async def call_events(
    info: Info[Any, None],
    call_id: Annotated[uuid, strawberry.argument(name="callId")],
    after: bigint | None = strawberry.UNSET,
) -> AsyncGenerator[CallEvent, None]:
    """What happens in a call: the events after the seq `after` (0: all, null: from now on), then each new one, gapless and in order."""
    async with aclosing(follow_call(*caller(info), call_id, after or (0 if after == 0 else None))) as events:
        async for event in events:
            yield CallEvent(
                seq=bigint(event.seq),
                kind=event.kind,
                call_id=uuid(event.call_id),
                actor=person(event.actor),
                participant_id=None if event.participant_id is None else uuid(event.participant_id),
                payload=jsonb(event.payload),
                created_at=timestamptz(event.created_at),
            )


@camel_type
class Subscription:
    call_events = feed(call_events)
