"""How much of a trial a run takes: all by `make trial-kills`; among all the other tests a fair sample, drawn anew each time."""

import os
from collections.abc import Iterable, Sequence
from random import Random
from secrets import randbelow
from typing import TypeVar

WHOLE = os.environ.get("NCHAT_TRIALS") == "whole"
# Named by a failure, so that the same sample can be had again.
SEED = int(os.environ.get("NCHAT_TRIALS_SEED") or randbelow(1_000_000))
T = TypeVar("T")


def thinned(ways: Sequence[T]) -> list[T]:
    """All of them, or a quarter by chance."""
    return list(ways) if WHOLE else Random(SEED).sample(ways, -(-len(ways) // 4))  # noqa: S311 - no secret


def sampled(groups: Iterable[Sequence[T]]) -> list[T]:
    """Everything, or one of each group by chance."""
    chance = Random(SEED)  # noqa: S311 - no secret
    return [one for group in groups for one in (group if WHOLE else [chance.choice(group)])]
