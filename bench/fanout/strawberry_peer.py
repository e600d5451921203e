"""A peer: Strawberry as its documentation sets it up, on uvicorn and uvloop: `python -m bench.fanout.strawberry_peer PORT`.

Each line of stdin is an event, put into a queue for each subscriber.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator

import orjson
import strawberry
import uvicorn
import uvloop
from strawberry.asgi import GraphQL
from strawberry.scalars import JSON

QUEUES: set[asyncio.Queue["CallEvent"]] = set()


@strawberry.type
class Actor:
    id: strawberry.ID
    display_name: str | None
    avatar_url: str | None


@strawberry.type
class CallEvent:
    seq: int
    kind: str
    call_id: strawberry.ID
    actor: Actor | None
    participant_id: strawberry.ID | None
    user_id: strawberry.ID | None
    payload: JSON | None
    created_at: str


@strawberry.type
class Query:
    ready: bool = True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def call_events(self, call_id: strawberry.ID) -> AsyncGenerator[CallEvent, None]:  # noqa: ARG002 - there is one call
        queue: asyncio.Queue[CallEvent] = asyncio.Queue()
        QUEUES.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            QUEUES.discard(queue)


def event_of(line: bytes) -> CallEvent:
    """The event of a payload as the service writes it."""
    found = orjson.loads(line)["data"]["callEvents"]
    actor = found["actor"]
    return CallEvent(
        seq=found["seq"],
        kind=found["kind"],
        call_id=found["callId"],
        actor=Actor(id=actor["id"], display_name=actor["displayName"], avatar_url=actor["avatarUrl"]),
        participant_id=found["participantId"],
        user_id=found["userId"],
        payload=found["payload"],
        created_at=found["createdAt"],
    )


async def serve(port: int) -> None:
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    app: GraphQL[None, None] = GraphQL(strawberry.Schema(Query, subscription=Subscription))
    config = uvicorn.Config(app, port=port, ws_per_message_deflate=False, lifespan="off", log_level="warning", backlog=4096)
    serving = asyncio.create_task(uvicorn.Server(config).serve())
    while line := await orders.readline():
        event = event_of(line)
        for queue in QUEUES:
            queue.put_nowait(event)
    serving.cancel()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
