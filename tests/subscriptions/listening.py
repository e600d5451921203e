"""Subscribers that keep what they were sent."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import orjson

from app.graphql.subscriptions import EngineSubscriptions
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.feeds.open_rooms import open_rooms
from resolvers.live.cohorts import LiveQueries
from resolvers.live.offer import Offer
from tests.support.actions import DATABASE, Api
from tests.support.domain_setup import product_rules
from tests.support.unshared import Unshared

EVENTS = """subscription ($call: uuid!, $after: bigint) {
  callEvents(callId: $call, after: $after) { seq epoch kind callId actor { id displayName } participantId userId payload createdAt }
}"""
RINGS = "subscription { incomingCalls { kind openCallIds callId type channelId caller { id displayName avatarUrl } ringExpiresAt } }"
SOON = 10.0


class Listener:
    """One subscription; `got` holds the values of its one root field, `refused` what ended it."""

    def __init__(self, subscriptions: EngineSubscriptions, request: Request, session: Session, world: object) -> None:
        self.got: list[Any] = []
        self.refused: GraphQLRefusal | None = None
        self.keeps: Callable[[Any], bool] = lambda _: True
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._run(subscriptions, request, session, world))

    async def _run(self, subscriptions: EngineSubscriptions, request: Request, session: Session, world: object) -> None:
        try:
            async with aclosing(subscriptions.subscribe(request, session, world)) as payloads:
                async for payload in payloads:
                    await self._take(orjson.loads(await payload.take()))
        except GraphQLRefusal as refused:
            self.refused = refused
        async with self._news:
            self._news.notify_all()

    async def _take(self, payload: Any) -> None:
        value = payload if "errors" in payload else next(iter(payload["data"].values()))
        async with self._news:
            if self.keeps(value):
                self.got.append(value)
            self._news.notify_all()

    async def until(self, condition: Callable[[list[Any]], object], *, seconds: float = SOON) -> list[Any]:
        """Everything so far, as soon as it satisfies the condition; AssertionError when it ends or lasts too long."""
        async with self._news:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait_for(lambda: condition(self.got) or self._task.done())
            except TimeoutError:
                raise AssertionError(f"still not so: {self.got}") from None
        if self._task.done():
            self._task.result()
        assert condition(self.got), (self.got, self.refused)
        return self.got

    async def count(self, number: int, *, seconds: float = SOON) -> list[Any]:
        return await self.until(lambda got: len(got) >= number, seconds=seconds)

    async def ended(self, *, seconds: float = SOON) -> GraphQLRefusal:
        """The refusal that ended it."""
        async with asyncio.timeout(seconds):
            await asyncio.wait({self._task})
        self._task.result()
        assert self.refused is not None
        return self.refused

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Listeners:
    """Opens subscriptions of the product."""

    def __init__(self, client: Api, stack: AsyncExitStack, world: Any, subscriptions: EngineSubscriptions) -> None:
        self._client, self._stack, self._world, self.subscriptions = client, stack, world, subscriptions

    async def in_world(self, world: Any) -> "Listeners":
        """The same engine in another process's world: another hub."""
        return Listeners(self._client, self._stack, world, await self._stack.enter_async_context(subscriptions(self._client, world)))

    def __call__(self, who: Session, query: str, **variables: Any) -> Listener:
        listener = Listener(self.subscriptions, Request(query, variables), who, self._world)
        self._stack.push_async_callback(listener.stop)
        return listener

    def raw(self, who: Session, query: str, **variables: Any) -> AsyncGenerator[Offer, None]:
        """The payloads as the wire gets them."""
        return self.subscriptions.subscribe(Request(query, variables), who, self._world)

    def events(self, who: Session, call_id: object, after: int | str | None = 0) -> Listener:
        return self(who, EVENTS, call=str(call_id), after=after)

    def rings(self, who: Session) -> Listener:
        """What follows the snapshot."""
        listener = self(who, RINGS)
        listener.keeps = lambda ring: ring["kind"] != "snapshot"
        return listener


@asynccontextmanager
async def subscriptions(client: Api, world: Any) -> AsyncIterator[EngineSubscriptions]:
    """Those of a process."""
    rules = await product_rules(client.on.url)
    async with open_rooms(DATABASE, rules.catalog, rules.roles.__getitem__, world.hub.follow) as rooms:
        yield EngineSubscriptions(client.engine, LiveQueries(Unshared(DATABASE), world.hub.follow), rooms)


@asynccontextmanager
async def listeners(client: Api) -> AsyncIterator[Listeners]:
    world = client.on.world
    async with subscriptions(client, world) as those, AsyncExitStack() as stack:
        yield Listeners(client, stack, world, those)


def seqs(got: list[Any]) -> list[int]:
    return [event["seq"] for event in got]
