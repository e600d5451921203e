"""What one principal may have of the database at once, and what it lately took."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

# Seconds. What a statement takes beyond GRACE is remembered, and half of it forgotten every HALF_LIFE; more than HEAVY makes heavy.
GRACE: Final = 0.03
HALF_LIFE: Final = 10.0
HEAVY: Final = 1.0

Waiting = TypeVar("Waiting")


@dataclass(frozen=True, slots=True)
class Places:
    """`total` statements run at once, `heavy` of them long, `share` of one principal; `queue` more wait `patience` seconds.

    The last `kept` places are for principals of whom nothing runs.
    """

    total: int
    heavy: int
    share: int
    queue: int = 256
    patience: float = 10.0
    kept: int = 0


@dataclass(slots=True, eq=False)
class Share(Generic[Waiting]):
    """One principal's statements, and the seconds that they lately took."""

    limit: int
    running: int = 0
    # Of those, the ones that run long by now.
    long: int = 0
    waiting: deque[Waiting] = field(default_factory=deque)
    spent: float = 0.0
    spent_at: float = 0.0

    def lately(self, now: float) -> float:
        """The seconds beyond the grace that are not forgotten yet."""
        return self.spent * 0.5 ** ((now - self.spent_at) / HALF_LIFE) if self.spent else 0.0

    def spend(self, seconds: float, now: float) -> None:
        """One statement took so long."""
        if seconds > GRACE:
            self.spent, self.spent_at = self.lately(now) + seconds - GRACE, now

    def is_heavy(self, now: float) -> bool:
        return self.long > 0 or (bool(self.spent) and self.lately(now) > HEAVY)

    def load(self, now: float) -> tuple[int, float]:
        """More of it is more of a burden."""
        return self.running + len(self.waiting), self.lately(now)
