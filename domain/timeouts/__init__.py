"""What ends by itself: rings, seats nobody took, lost connections, calls that last too long."""

from collections.abc import Awaitable, Callable
from typing import Final

from domain.timeouts import connections, durations, ringing, seats
from domain.world import World

Timeout = Callable[[World], Awaitable[int]]

TIMEOUTS: Final[tuple[Timeout, ...]] = (
    ringing.unanswered,
    connections.never_connected,
    connections.never_reconnected,
    seats.never_joined,
    seats.never_back,
    durations.too_long,
    durations.never_started,
)


async def run(world: World) -> int:
    """Carries out every timeout that is due now and returns how many calls were.

    Each case is decided again under its call's lock, so that running twice, or on several workers at once, is running once.
    """
    return sum([await timeout(world) for timeout in TIMEOUTS])
