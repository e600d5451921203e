"""Revisions are named 0001, 0002 …: their files stand in the folder in the order in which they run."""

import re
from collections.abc import Iterable


def next_number(taken: Iterable[str]) -> str:
    """The number after the highest that is taken; names of another form count for nothing."""
    numbers = (int(name) for name in taken if re.fullmatch(r"\d{4}", name))
    return f"{max(numbers, default=0) + 1:04}"
