"""The moment at which a token runs out, on the wall clock."""

import asyncio
import time

# A sleeping clock (a suspended machine) is looked at again this often, in seconds.
LONGEST_SLEEP = 60.0


def is_over(expires_at: float | None) -> bool:
    """Whether that unix time has come; None never comes."""
    return expires_at is not None and expires_at <= time.time()


def next_look(expires_at: float | None) -> float:
    """Seconds until that unix time may have come."""
    return LONGEST_SLEEP if expires_at is None else max(0.0, min(expires_at - time.time(), LONGEST_SLEEP))


async def until(expires_at: float) -> None:
    """Returns at that unix time: from then on nothing more may be seen."""
    while not is_over(expires_at):  # noqa: ASYNC110 - nobody tells us of the wall clock
        await asyncio.sleep(next_look(expires_at))
