"""Subscriptions behind the transports: a live query over tables, or a hand-written feed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from app.graphql.ports import Follows
from domain.hub import AskAnew
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.request import Request, Seen
from resolvers.feeds.opened import Opened
from resolvers.feeds.rooms import FollowedRooms
from resolvers.feeds.told import Direct
from resolvers.live.cohorts import LiveQueries
from resolvers.live.live_query import LiveQuery
from resolvers.live.offer import Offer
from resolvers.live.payload import Payload


class EngineSubscriptions:
    """`app.graphql.ports.Subscribes` over the engine."""

    def __init__(self, engine: Follows, live_queries: LiveQueries, rooms: FollowedRooms) -> None:
        self._engine, self._live_queries, self._rooms = engine, live_queries, rooms

    async def subscribe(
        self, request: Request, session: Session, context: object | None = None, direct: Direct | None = None
    ) -> AsyncGenerator[Offer, None]:
        """Payloads as JSON until the client goes; raises GraphQLRefusal when the operation may not begin or has to end.

        Events of a room go the `direct` way while it takes them.
        """
        live = await self._live_query(request, session)
        if live is not None:
            async with aclosing(self._followed(live, request, session)) as offers:
                async for offer in offers:
                    yield offer
            return
        while True:
            begun_anew = self._live_queries.begun_anew
            opened = await self._engine.room(request, session, self._rooms.database, context)
            if begun_anew != self._live_queries.begun_anew:
                continue
            hand_written = self._told(begun_anew, request, session, context) if opened is None else self._events(opened, direct)
            try:
                async with aclosing(hand_written) as offers:
                    async for offer in offers:
                        yield offer
                return
            except AskAnew as asked:
                request = _behind(request, asked)

    async def _events(self, opened: Opened, direct: Direct | None) -> AsyncGenerator[Offer, None]:
        """Those of a room. Raises AskAnew, and goes on behind what was sent then."""
        async with aclosing(self._rooms.follow(opened, direct)) as events:
            async for told in events:
                yield Offer(Payload(told.body), event_id=f"{told.seq}-{self._rooms.epochs[opened.place.feed.name]}")

    async def _told(self, begun_anew: int, request: Request, session: Session, context: object | None) -> AsyncGenerator[Offer, None]:
        """What a feed tells that begins with the present state. Raises AskAnew, and begins with it again then."""
        async with aclosing(self._engine.subscribe(request, session, context)) as payloads:
            async for payload in payloads:
                if begun_anew != self._live_queries.begun_anew:
                    raise AskAnew
                yield Offer(Payload(payload))

    async def _followed(self, live: LiveQuery, request: Request, session: Session) -> AsyncGenerator[Offer, None]:
        """Also when the metadata is read again: under the new rules, in which what is asked may not be asked any more."""
        anew, sent, is_repeated = partial(self._first, request, session), b"", False
        while True:
            try:
                async with aclosing(self._live_queries.follow(live, delta=request.delta)) as offers:
                    async for offer in offers:
                        if is_repeated and offer.mark == sent:
                            continue
                        offer.anew, is_repeated = anew, False
                        yield offer
                        sent = offer.mark
                return
            except AskAnew as asked:
                reached = asked.reached
            # The same answer under other rules is no news; of a stream every row is.
            live, is_repeated = replace(await self._again(request, session), reached=reached), reached is None

    async def _live_query(self, request: Request, session: Session) -> LiveQuery | None:
        """By the rules of this moment: they may change while it is compiled."""
        while True:
            begun_anew = self._live_queries.begun_anew
            live = await self._engine.live_query(request, session)
            if begun_anew == self._live_queries.begun_anew:
                return live

    async def _again(self, request: Request, session: Session) -> LiveQuery:
        live = await self._live_query(request, session)
        if live is None:
            raise GraphQLRefusal("unexpected", "what was a live query is none any more")
        return live

    async def _first(self, request: Request, session: Session) -> Payload:
        async with aclosing(self._live_queries.follow(await self._again(request, session))) as offers:
            return Payload(await (await anext(offers)).take())


def _behind(request: Request, asked: AskAnew) -> Request:
    """The same, behind the last event that was sent, if there is one."""
    if asked.reached is None:
        return request
    seq, epoch = asked.reached
    return request._replace(seen=Seen(int(seq or 0), epoch))
