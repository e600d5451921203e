"""Several pieces of work at once, but not all; one that fails holds up no other, and is not forgotten."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

AT_ONCE: Final = 8
T = TypeVar("T")


@dataclass(slots=True)
class Failures:
    """What failed in a round, whatever it failed with: each is told when it does (`log`: its name, and the failure's class), and all
    together at the end."""

    log: Callable[[str, str], None]
    each: list[Exception] = field(default_factory=list)

    async def side_by_side(self, work: Mapping[str, Coroutine[Any, Any, T]]) -> list[T | None]:
        """A few at a time; what came of each, in order, None for one that failed. The names say in the log which it was."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(item: Coroutine[Any, Any, T]) -> T:
            async with places:
                return await item

        try:
            # Gathered with their failures: so all have ended when this returns, or is given up.
            outcomes = await asyncio.gather(*(one(item) for item in work.values()), return_exceptions=True)
        finally:
            # Given up while some waited for a place: those never began, and say so to nobody.
            for item in work.values():
                item.close()
        return [self._kept(name, outcome) for name, outcome in zip(work, outcomes, strict=True)]

    def _kept(self, name: str, outcome: T | BaseException) -> T | None:
        if not isinstance(outcome, BaseException):
            return outcome
        if not isinstance(outcome, Exception):
            raise outcome
        # The class only: a driver's text quotes values.
        self.log(name, type(outcome).__name__)
        self.each.append(outcome)
        return None

    def tell(self) -> None:
        """Raises what was kept, as one group."""
        if self.each:
            raise ExceptionGroup(f"{len(self.each)} parts of a round failed", self.each)
