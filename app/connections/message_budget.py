"""How much a websocket's client may send, and all websockets of one client together: buckets that fill by themselves."""

from weakref import WeakValueDictionary

# Reading what is longer takes longer: a message costs as many short ones as it has KiB.
_SHORT = 1024
# Seconds without debt, after which an overdrawn client counts as one like any other.
_RECOVERED = 2.0


def cost_of(size: int) -> int:
    """What a message of so many bytes takes of a budget."""
    return max(1, size // _SHORT)


class MessageBudget:
    """Below nothing its owner stops reading; there for too long it is no burst but a flood."""

    def __init__(self, per_second: float, at_once: int, now: float) -> None:
        self._per_second, self._at_once = per_second, float(at_once)
        self._left, self._filled_at = float(at_once), now
        self._overdrawn_at: float | None = None
        self._paid_at = now

    def spend(self, cost: int, now: float) -> None:
        """So much has come. Spending never fails: whether to go on reading is asked afterwards."""
        self._fill(now)
        self._left -= cost
        if self._left < 0 and self._overdrawn_at is None:
            self._overdrawn_at = now

    def overdrawn(self, now: float) -> bool:
        """Whether nothing may be read for the moment."""
        # Time only fills it: asked of every socket, again and again.
        if self._left >= 0:
            return False
        self._fill(now)
        return self._left < 0

    def overdrawn_for(self, now: float) -> float:
        """Seconds since it ran out, as long as it has not been without debt for a while."""
        if self._overdrawn_at is None:
            return 0.0
        self._fill(now)
        return 0.0 if self._overdrawn_at is None else now - self._overdrawn_at

    def _fill(self, now: float) -> None:
        if self._left < 0:
            self._paid_at = self._filled_at - self._left / self._per_second
        self._left = min(self._at_once, self._left + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if now - self._paid_at >= _RECOVERED:
            self._overdrawn_at = None


class SharedBudgets:
    """One budget for all websockets of a client, for as long as there are any."""

    def __init__(self, per_second: float, at_once: int) -> None:
        self._per_second, self._at_once = per_second, at_once
        self._budgets: WeakValueDictionary[str, MessageBudget] = WeakValueDictionary()

    def of(self, client: str, now: float) -> MessageBudget:
        """The client's, known to all that ask for it."""
        budget = self._budgets.get(client)
        if budget is None:
            budget = self._budgets[client] = MessageBudget(self._per_second, self._at_once, now)
        return budget
