"""All timeouts of a tick, in order."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from domain.calls.repairs import Repair
from domain.timeouts import call_durations, lapsed_seats, lost_connections, unanswered_rings
from domain.timeouts.due_calls import tell
from domain.world import World

Timeout = Callable[[World], Awaitable[list[Sequence[Repair]]]]

TIMEOUTS: Final[tuple[Timeout, ...]] = (
    unanswered_rings.unanswered,
    lost_connections.never_connected,
    lost_connections.never_reconnected,
    lapsed_seats.never_joined,
    lapsed_seats.never_back,
    call_durations.too_long,
    call_durations.never_started,
)


async def run_timeouts(world: World) -> int:
    """Carries out every timeout that is due now and returns how many calls were.

    Each case is decided again under its call's lock, so that running twice, or on several workers at once, is running once.
    All are decided and committed before LiveKit hears of any.
    """
    decided = [repairs for timeout in TIMEOUTS for repairs in await timeout(world)]
    await tell(world, decided)
    return len(decided)
