"""How many messages a websocket's client may send: a bucket that fills by itself."""


class MessageBudget:
    """Below nothing its owner stops reading; there for too long it is no burst but a flood."""

    def __init__(self, per_second: float, at_once: int, now: float) -> None:
        self._per_second, self._at_once = per_second, float(at_once)
        self._left, self._filled_at = float(at_once), now
        self._overdrawn_at: float | None = None

    def spend(self, messages: int, now: float) -> None:
        """So many have come. Spending never fails: whether to go on reading is asked afterwards."""
        self._fill(now)
        self._left -= messages
        if self._left < 0 and self._overdrawn_at is None:
            self._overdrawn_at = now

    def overdrawn(self, now: float) -> bool:
        """Whether nothing may be read for the moment."""
        self._fill(now)
        return self._left < 0

    def overdrawn_for(self, now: float) -> float:
        """Seconds since it ran out for the first time without having recovered by half."""
        self._fill(now)
        return 0.0 if self._overdrawn_at is None else now - self._overdrawn_at

    def _fill(self, now: float) -> None:
        self._left = min(self._at_once, self._left + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._left >= self._at_once / 2:
            self._overdrawn_at = None
