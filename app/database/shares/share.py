"""What one principal may have of the database at once, and what it lately took."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

# Seconds. What a statement takes beyond GRACE is remembered, and half of it forgotten every HALF_LIFE; more than HEAVY makes heavy, until
# less than LIGHT is left: many who are heavy do not all come back in the same moment, again and again.
GRACE: Final = 0.03
HALF_LIFE: Final = 10.0
HEAVY: Final = 1.0
LIGHT: Final = 0.2
# Whose last statement was short, and not longer ago, is known to ask for little.
KNOWN: Final = 60.0

Waiting = TypeVar("Waiting")


@dataclass(frozen=True, slots=True)
class Places:
    """`total` statements run at once, `heavy` of them long, `share` of one principal; `queue` more wait `patience` seconds.

    The last `kept` places are for principals of whom nothing runs, and the very last, `known` of them, for those who are known to ask for
    little: many newcomers who all ask for too much do not stand before them. As many are for newcomers, however many are known.
    """

    total: int
    heavy: int
    share: int
    queue: int = 256
    patience: float = 10.0
    kept: int = 0
    known: int = 0


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
    was_heavy: bool = False
    short_at: float = -KNOWN

    def lately(self, now: float) -> float:
        """The seconds beyond the grace that are not forgotten yet."""
        return self.spent * 0.5 ** ((now - self.spent_at) / HALF_LIFE) if self.spent else 0.0

    def spend(self, seconds: float, now: float) -> None:
        """One statement took so long."""
        if seconds > GRACE:
            before = self.lately(now)
            self.spent, self.spent_at, self.short_at = before + seconds - GRACE, now, -KNOWN
            self.was_heavy = self.spent > HEAVY or (self.was_heavy and before > LIGHT)
        else:
            self.short_at = now

    def forgive(self, now: float) -> None:
        """What it took is charged to others."""
        self.spent, self.was_heavy, self.short_at = 0.0, False, now

    def is_known(self, now: float) -> bool:
        """Whether it lately asked for little, and for nothing else since."""
        return now - self.short_at < KNOWN and not self.is_heavy(now)

    def is_heavy(self, now: float) -> bool:
        return self.long > 0 or (self.was_heavy and self.lately(now) > LIGHT)

    def load(self, now: float) -> tuple[int, float]:
        """More of it is more of a burden."""
        return self.running + len(self.waiting), self.lately(now)
