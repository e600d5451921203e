"""What a crash, a lost webhook or a restarted LiveKit left apart, brought together again.

In: the rows of living calls and LiveKit's rooms. Out: rows moved to what is seen, and rooms repaired to what the rows say. Every 15 s, and
at start; every second only whether the kicked stay out.
"""

from domain.reconciler.round import reconcile

__all__ = ["reconcile"]
