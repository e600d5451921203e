"""All timeouts of a tick, in order."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from domain.calls.repairs import Repair
from domain.timeouts import connections, durations, ringing, seats
from domain.timeouts.due_calls import tell
from domain.world import World

Timeout = Callable[[World], Awaitable[list[Sequence[Repair]]]]

TIMEOUTS: Final[tuple[Timeout, ...]] = (
    ringing.unanswered,
    connections.never_connected,
    connections.never_reconnected,
    seats.never_joined,
    seats.never_back,
    durations.too_long,
    durations.never_started,
)


async def run_timeouts(world: World) -> int:
    """Carries out every timeout that is due now and returns how many calls were.

    Each case is decided again under its call's lock, so that running twice, or on several workers at once, is running once.
    All are decided and committed before LiveKit hears of any.
    """
    decided = [repairs for timeout in TIMEOUTS for repairs in await timeout(world)]
    await tell(world, decided)
    return len(decided)
