"""What a source's frame rate is compared with: its best, until it is lower and stays so.

Whoever lowers it on purpose keeps it there, and halves it at most; an encoder that can't keep up swings, or falls further. After some
minutes nobody needs to be told any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# As steady as this, as a share of where it began to be, and for so long: then it is what is wanted.
NEAR: Final = 0.2
SETTLES_AFTER: Final = timedelta(minutes=5)
# Nobody wants fewer frames a second, or less than about half of the best, unless the source says so itself.
LEAST: Final = 12.0
HALF: Final = 0.45


@dataclass(frozen=True, slots=True)
class FrameRates:
    """`best` is what later ones are compared with; `steady` is the rate near which all have been since `steady_since`."""

    best: float | None = None
    steady: float | None = None
    steady_since: datetime | None = None

    def heard(self, fps: float | None, at: datetime) -> "FrameRates":
        """With one more. Nothing is said by who does not know."""
        if fps is None:
            return self
        steady, since = self.steady, self.steady_since
        if steady is None or since is None or abs(fps - steady) > NEAR * steady:
            steady, since = fps, at
        now = FrameRates(self.best, steady, since)
        best = max(fps, steady) if now.settled(at) else max(fps, self.best or fps)
        return FrameRates(best, steady, since)

    def settled(self, at: datetime) -> bool:
        """It has been so for long enough to be wanted."""
        if self.steady is None or self.steady_since is None:
            return False
        return self.steady >= max(LEAST, HALF * (self.best or 0.0)) and at - self.steady_since >= SETTLES_AFTER
