"""One stream from its first event to its end, whoever brings it about."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from app.auth.refusals import token_expired
from app.graphql import expiry
from app.sockets.open_sockets import closed_by_operator
from app.sse.events import COMPLETE, next_event
from app.sse.listed_stream import ListedStream
from app.sse.services import StreamServices
from app.sse.stream import EventStream
from app.sse.streamed_operation import StreamedOperation


class Expired(Exception):
    """The token's time is over."""


class HungUp(Exception):
    """The client has hung up."""


class Closed(Exception):
    """The operator of the service has closed it."""


class SentAway(Exception):
    """The process ends."""


async def converse(
    stream: EventStream, operation: StreamedOperation, services: StreamServices, listed: ListedStream, *, reads_only: bool
) -> None:
    """Runs the operation until it completes, or until something ends it before; the operation is over when this returns.

    An expired token ends it with `invalid-jwt`, an operator with `closed-by-operator`, so that the client takes neither for an accident.
    The end of the process is one: the response stops without `complete`, and the client comes again with the last id that it has.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            watches = [
                tasks.create_task(stream.keep_alive(services.limits.keepalive)),
                tasks.create_task(_end(HungUp, stream.gone)),
                tasks.create_task(_end(SentAway, services.farewells.turn)),
                tasks.create_task(_end(Closed, listed.ended)),
            ]
            if listed.expires_at is not None:
                watches.append(tasks.create_task(_end(Expired, partial(expiry.until, listed.expires_at))))
            await operation.run(reads_only=reads_only)
            for watch in watches:
                watch.cancel()
    except* (HungUp, SentAway):
        pass
    except* Expired:
        await stream.send(next_event(token_expired().body()) + COMPLETE)
    except* Closed:
        await stream.send(next_event(closed_by_operator().body()) + COMPLETE)
    await stream.close()


async def _end(why: type[Exception], moment: Callable[[], Awaitable[None]]) -> None:
    """Ends the group in which it runs, at that moment."""
    await moment()
    raise why
