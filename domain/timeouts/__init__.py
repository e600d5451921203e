"""What ends by itself: rings, seats nobody took, lost connections, calls that last too long.

In: the time. Out: calls that are due, each decided again under its lock when the inbox has nothing more to say of it, and what LiveKit has
to be told of them.
"""

from domain.timeouts.all_timeouts import TIMEOUTS, run_timeouts, tell_decided
from domain.timeouts.due import Decided, Timeout, decide_due
from domain.timeouts.due_kinds import due_kinds

__all__ = ["TIMEOUTS", "Decided", "Timeout", "decide_due", "due_kinds", "run_timeouts", "tell_decided"]
