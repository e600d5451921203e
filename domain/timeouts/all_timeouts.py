"""All kinds of timeouts."""

from typing import Any, Final

import structlog

from domain.calls.repairs import tell
from domain.timeouts import call_durations, lapsed_seats, lost_connections, recording_manners, streams, unanswered_rings
from domain.timeouts.due import Decided, Timeout, decide_due
from domain.webhooks.processing import settle_debts
from domain.world import World

log = structlog.get_logger(__name__)

TIMEOUTS: Final[tuple[Timeout[Any], ...]] = (
    unanswered_rings.UNANSWERED,
    lost_connections.NEVER_CONNECTED,
    lost_connections.NEVER_RECONNECTED,
    lapsed_seats.NEVER_JOINED,
    lapsed_seats.NEVER_BACK,
    call_durations.TOO_LONG,
    call_durations.NEVER_STARTED,
    recording_manners.AUTO_RECORD,
    recording_manners.CONSENT_REFUSED,
    recording_manners.NO_HOST,
    streams.FOLLOWED,
    streams.NEVER_STARTED,
)


async def run_timeouts(world: World) -> int:
    """Carries out every timeout that is due now and returns how many calls and streams were.

    Each case is decided again under its lock, so that running twice, or on several workers at once, is running once.
    All are decided and committed before LiveKit hears of any.
    """
    decided = Decided()
    for timeout in TIMEOUTS:
        if timeout.matters(world):
            decided.add(await decide_due(world, timeout))
    await tell_decided(world, decided)
    return decided.count


async def tell_decided(world: World, decided: Decided) -> None:
    """Tells LiveKit, a few calls at a time. When it does not answer, the rest is left to the reconciler: no timeout waits for LiveKit."""
    told = await tell(world, [repairs for repairs in decided.repairs if repairs])
    if failures := [failure for failure in told if failure is not None]:
        log.warning("timeouts_not_told", calls=len(failures), error=str(failures[0]))
    await settle_debts(world, decided.owed)
