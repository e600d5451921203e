"""Moving windows of one process, counted in its memory: a hit costs the same however many keys there are."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

SWEEP_EVERY: Final = 4096


class MemoryWindows:
    """The times of each key's latest hits; a key that nobody uses any more is forgotten at the next sweep."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._hits: dict[tuple[str, str], deque[float]] = {}
        self._ends: dict[tuple[str, str], float] = {}
        self._until_sweep = SWEEP_EVERY

    def hit(self, limit: str, key: str, *, times: int, most: int, seconds: float) -> float | None:
        """None when so many hits fit into the last `seconds`, and they are counted; otherwise the seconds until they would fit."""
        now, place = self._now(), (limit, key)
        self._sweep(now)
        hits = self._hits.setdefault(place, deque())
        while hits and hits[0] <= now - seconds:
            hits.popleft()
        if len(hits) + times > most:
            return hits[len(hits) + times - most - 1] + seconds - now
        hits.extend([now] * times)
        self._ends[place] = now + seconds
        return None

    def _sweep(self, now: float) -> None:
        self._until_sweep -= 1
        if self._until_sweep:
            return
        self._until_sweep = max(SWEEP_EVERY, len(self._ends))
        for place in [place for place, end in self._ends.items() if end <= now]:
            del self._ends[place]
            del self._hits[place]
