"""How long who lost a server waits until the next try."""

from typing import Final

from redis.backoff import ExponentialWithJitterBackoff

_FIRST, _LONGEST = 0.1, 2.0
# The pause grows no more; of a thousand the power of two is no number for redis-py.
_MANY: Final = 20
_BACKOFF: Final = ExponentialWithJitterBackoff(base=_FIRST, cap=_LONGEST)


def pause_after(failures: int) -> float:
    """Seconds, two at most; not the same for all who lost it together."""
    return _BACKOFF.compute(min(failures, _MANY))
