"""How much of the event loop's time each principal has taken of late, for compiling or for comparing answers."""

import time
from collections.abc import Callable

from resolvers.documents.lru import LRU

# In the unit of costs, a tenth of a millisecond: what one may take at once, and what is forgiven each second (a tenth of the loop).
_AT_ONCE = 1_500
_A_SECOND = 1_000
# Principals in memory. Whoever is forgotten has taken nothing for a while.
_PRINCIPALS = 10_000


class LoopShare:
    """Short work is done on the loop, at once, but many short works of one principal are long work."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._taken: LRU[str, tuple[float, float]] = LRU(_PRINCIPALS)

    def is_left(self, principal: str) -> bool:
        """Whether the principal may take some more."""
        return self._level(principal) < _AT_ONCE

    def take(self, principal: str, cost: int) -> None:
        """Notes what was taken."""
        self._taken.put(principal, (self._level(principal) + cost, self._now()))

    def _level(self, principal: str) -> float:
        taken, at = self._taken.get(principal) or (0.0, 0.0)
        return max(0.0, taken - (self._now() - at) * _A_SECOND)
