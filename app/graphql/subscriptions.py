"""Subscriptions behind the transports: a live query over tables, or a hand-written feed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.feeds.rooms import FollowedRooms
from resolvers.feeds.told import Direct
from resolvers.live.cohorts import LiveQueries
from resolvers.live.offer import Offer
from resolvers.live.payload import Payload


class EngineSubscriptions:
    """`app.graphql.ports.Subscribes` over the engine."""

    def __init__(self, engine: Engine, live_queries: LiveQueries, rooms: FollowedRooms) -> None:
        self._engine, self._live_queries, self._rooms = engine, live_queries, rooms

    async def subscribe(
        self, request: Request, session: Session, context: object | None = None, direct: Direct | None = None
    ) -> AsyncGenerator[Offer, None]:
        """Payloads as JSON until the client goes; raises GraphQLRefusal when the operation may not begin or has to end.

        Events of a room go the `direct` way while it takes them.
        """
        live = await self._engine.live_query(request, session)
        if live is not None:
            async with aclosing(self._live_queries.follow(live, delta=request.delta)) as offers:
                async for offer in offers:
                    yield offer
            return
        opened = await self._engine.room(request, session, self._rooms.database, context)
        if opened is not None:
            async with aclosing(self._rooms.follow(opened, direct)) as events:
                async for told in events:
                    yield Offer(Payload(told.body), event_id=f"{told.seq}-{self._rooms.epochs[opened.place.feed.name]}")
            return
        async with aclosing(self._engine.subscribe(request, session, context)) as payloads:
            async for payload in payloads:
                yield Offer(Payload(payload))
