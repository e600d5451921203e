"""How many answers of one plan a statement gives: as many as take a moment, by what is known of the last ones."""

from typing import Final

# Of one statement: its answers, and the seconds and bytes of all of them. With more answers the two sides would wait for each other.
LARGEST: Final = 16
SECONDS: Final = 0.005
BYTES: Final = 1 << 20
# The answers of the first one, when nothing is known; of a plan of which fewer fit nothing is gained.
FIRST: Final = 2
# How much the newest statement says.
WEIGHT: Final = 0.3
# Seconds in which a plan is asked alone after it took too long or failed: at first, and when that goes on.
SHORT_REST: Final = 1.0
LONG_REST: Final = 60.0


class Pace:
    """Of one plan. All moments are of one clock, in seconds."""

    def __init__(self) -> None:
        # What part of a statement an answer takes, of the seconds or the bytes.
        self._part, self._most = 0.0, FIRST
        self._rest, self._rests_until = SHORT_REST, 0.0

    def most(self, now: float) -> int:
        """How many one statement may answer; none while the plan rests."""
        if self._rests_until:
            if now < self._rests_until:
                return 0
            self._part, self._most, self._rests_until = 0.0, FIRST, 0.0
        return self._most

    @property
    def is_known(self) -> bool:
        """Whether anything is known of what an answer takes."""
        return self._part > 0

    def learn(self, answers: int, seconds: float, size: int, now: float) -> None:
        """A statement gave so many answers, of so many bytes together."""
        # By the clock of a server that was set back it may have taken no time at all.
        part = max(seconds / SECONDS, size / BYTES, 1 / LARGEST) / answers
        # Once it is known, what takes many times as long was held up by something else, or will be again.
        known = self._part or part
        self._part = WEIGHT * min(part, 2 * known) + (1 - WEIGHT) * known
        self._most = min(LARGEST, int(1 / self._part))
        if self._most < FIRST:
            self.stop(now)
        else:
            self._rest = SHORT_REST

    def stop(self, now: float) -> None:
        """For a while. What else the machine did may be the reason, so it is not for long at first."""
        self._rests_until = now + self._rest
        self._rest = min(2 * self._rest, LONG_REST)
