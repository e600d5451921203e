"""A generator function as a hand-written subscription's root field."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import strawberry

from resolvers.role_schema import ROLES

# Who is nobody follows nothing.
PEOPLE = frozenset({"user", "moderator"})


def feed(resolver: Callable[..., AsyncGenerator[object, None]]) -> Any:
    """The root field of the function's name, for people; its docstring is what a client reads."""
    return strawberry.subscription(resolver=resolver, description=(resolver.__doc__ or "").strip(), metadata={ROLES: PEOPLE})
