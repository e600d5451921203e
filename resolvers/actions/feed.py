"""What hand-written subscriptions have in common."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from typing import Any, ParamSpec, TypeVar

import strawberry

from permissions.errors import RATE_LIMITED, GraphQLRefusal
from resolvers.feeds.patience import PATIENCE, TRY_EVERY, passes
from resolvers.hand_written.room_feed import OF_ROOM
from resolvers.roles.role_schema import ROLES
from resolvers.sql.database import DatabaseError
from schema.types.call_events import Person

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
# Who is nobody follows nothing.
PEOPLE = frozenset({"user", "moderator"})


def room_feed(resolver: Callable[..., AsyncGenerator[object, None]], roles: Collection[str] = PEOPLE) -> Any:
    """The same for a feed of rooms: the resolver gives back a `Place`."""
    described = (resolver.__doc__ or "").strip()
    return strawberry.subscription(resolver=resolver, description=described, metadata={ROLES: frozenset(roles), OF_ROOM: True})


def feed(resolver: Callable[..., AsyncGenerator[object, None]]) -> Any:
    """The root field of the function's name, for people; its docstring is what a client reads."""
    return strawberry.subscription(resolver=resolver, description=(resolver.__doc__ or "").strip(), metadata={ROLES: PEOPLE})


def patient(read: Callable[Asked, Awaitable[Answer]]) -> Callable[Asked, Awaitable[Answer]]:
    """Asks again while the database is away or busy: without its word on the right nothing is told, and nobody has to begin anew."""

    async def ask(*asked: Asked.args, **named: Asked.kwargs) -> Answer:
        give_up = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                return await read(*asked, **named)
            except (DatabaseError, GraphQLRefusal) as error:
                if not _passes(error) or asyncio.get_running_loop().time() > give_up:
                    raise
            await asyncio.sleep(TRY_EVERY)

    return ask


def _passes(error: DatabaseError | GraphQLRefusal) -> bool:
    return error.code == RATE_LIMITED if isinstance(error, GraphQLRefusal) else passes(error)


def person(row: Mapping[str, Any] | None) -> Person | None:
    """A row of `nchat_users` as feeds show it."""
    return None if row is None else Person(id=row["id"], display_name=row["display_name"], avatar_url=row["avatar_url"])
