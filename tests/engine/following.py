"""Subscriptions to tables of an engine, without a service around it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from app.hints import open_hub
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.live.cohorts import LiveQueries
from tests.engine.library import Library
from tests.support.unshared import Unshared

LOOK_EVERY = 0.1


@asynccontextmanager
async def following(
    books: Library, query: str, variables: Mapping[str, Any] | None = None, *, session: Session | None = None
) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """What gives its answers, one after the other. Nobody has to tell it that something has changed."""
    live = await books.engine.live_query(Request(query, variables or {}), session or Session("admin"))
    assert live is not None, query
    async with open_hub() as hub, asyncio.timeout(30):
        live_queries = LiveQueries(Unshared(books.database), hub.follow, look_every=LOOK_EVERY)
        async with aclosing(live_queries.follow(live)) as offers:

            async def answer() -> Any:
                return json.loads(await (await anext(offers)).take())

            yield answer
