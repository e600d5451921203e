"""How many operations a minute: asked of whoever counts, before anything runs."""

import math
from typing import Protocol

import orjson

from permissions.api_limits import RateLimit
from permissions.errors import GraphQLRefusal
from permissions.session import Session


class OperationRates(Protocol):
    """Counts what begins, for all processes where they share a counter."""

    async def __call__(self, key: str, most: int) -> float | None:
        """None when there was room for one more in this minute, and it is counted; otherwise the seconds until there is."""
        ...


async def uncounted(key: str, most: int) -> float | None:  # noqa: ARG001
    """The default: there is always room."""
    return None


async def count(rates: OperationRates, limit: RateLimit, session: Session, address: str) -> None:
    """One more of the role, together with what tells its callers apart. Raises rate-limit-exceeded."""
    wait = await rates(_key(limit, session, address), limit.most)
    if wait is not None:
        message = f"more than {limit.most} operations in a minute are not allowed; ask again later"
        raise GraphQLRefusal("rate-limit-exceeded", message, retryAfter=math.ceil(wait))


def _key(limit: RateLimit, session: Session, address: str) -> str:
    told_apart = [session.role, *([address] if limit.by_address else ())]
    # A variable that the session lacks is one more value.
    return orjson.dumps([*told_apart, *(session.variables.get(name) for name in limit.by_variables)]).decode()
