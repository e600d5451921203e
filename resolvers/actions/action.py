"""A resolver function as an action's root field."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry


def action(resolver: Callable[..., Awaitable[object]]) -> Any:
    """The root field of the function's name; its docstring is what a client reads."""
    return strawberry.field(resolver=resolver, description=(resolver.__doc__ or "").strip())
