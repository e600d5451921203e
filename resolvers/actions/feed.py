"""What hand-written subscriptions have in common."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import strawberry

from resolvers.role_schema import ROLES
from schema.types.call_events import Person

# Who is nobody follows nothing.
PEOPLE = frozenset({"user", "moderator"})


def feed(resolver: Callable[..., AsyncGenerator[object, None]]) -> Any:
    """The root field of the function's name, for people; its docstring is what a client reads."""
    return strawberry.subscription(resolver=resolver, description=(resolver.__doc__ or "").strip(), metadata={ROLES: PEOPLE})


def person(row: Mapping[str, Any] | None) -> Person | None:
    """A row of `nchat_users` as feeds show it."""
    return None if row is None else Person(id=row["id"], display_name=row["display_name"], avatar_url=row["avatar_url"])
