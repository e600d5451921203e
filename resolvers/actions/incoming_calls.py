"""The subscription `incomingCalls`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from strawberry.types import Info

from domain.feeds.incoming_calls import follow_rings
from resolvers.actions.caller import caller
from resolvers.actions.feed import feed
from resolvers.actions.people import person
from schema.scalars import timestamptz, uuid
from schema.types.call_events import IncomingCall, IncomingCallKind
from schema.types.camel_case import camel_type
from schema.types.vocabulary import call_type


async def incoming_calls(info: Info[Any, None]) -> AsyncGenerator[IncomingCall, None]:
    """The caller's rings: first those open now, then each that begins, and how it ended."""
    async with aclosing(follow_rings(*caller(info))) as rings:
        async for ring in rings:
            yield IncomingCall(
                # The view of a role reads an enum as the bare word.
                kind=cast(IncomingCallKind, ring.kind),
                call_id=uuid(ring.call_id),
                type=call_type(ring.type),
                channel_id=None if ring.channel_id is None else uuid(ring.channel_id),
                caller=person(ring.caller),
                ring_expires_at=timestamptz(ring.ring_expires_at),
            )


@camel_type
class Subscription:
    incoming_calls = feed(incoming_calls)
