"""What ends by itself: rings, seats nobody took, lost connections, calls that last too long.

In: the time. Out: calls that are due, each decided again under its lock, and what LiveKit has to be told of them.
"""

from domain.timeouts.all_timeouts import TIMEOUTS, run_timeouts

__all__ = ["TIMEOUTS", "run_timeouts"]
