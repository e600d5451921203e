"""How readers hear that something changed: they follow topics, and look at the database themselves."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class AskAnew(Exception):
    """What is followed has another meaning now, or none: whoever follows asks again, behind the place that was `reached`, if any."""

    def __init__(self, reached: tuple[str | None, ...] | None = None) -> None:
        super().__init__()
        self.reached = reached


class Following(Protocol):
    """One reader that follows topics. It holds no message: many hints are one reason to look."""

    async def changed(self, within: float) -> float:
        """Returns on the next hint, at once when one came since the last return, and after `within` seconds in any case: the moment of the
        first of those hints, by the loop's clock.

        Hints may be lost; the time limit is what turns a lost one into a delay.
        """
        ...

    def seen(self) -> None:
        """What is read from now on has all that was hinted at before: that is no reason to look again."""
        ...

    def notify(self) -> None:
        """As if a hint had come."""
        ...


class Hub(Protocol):
    def follow(self, topics: Collection[str]) -> AbstractAsyncContextManager[Following]:
        """Hints on these topics (`domain.ports.Hint`) reach the reader from the moment the block begins: what it reads then misses none."""
        ...
