"""One way a service process dies in the midst of a call: what goes before, what is under way, and at which points it ends."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.trials.trial_call import TrialCall

Step = Callable[[TrialCall], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Crash:
    """`asleep`: `during` happens while no service runs, and the next one dies at its own work. Otherwise `during` is a request.

    `points` are transactions, and calls of a port with the function that makes them. `faults` are methods of LiveKit that fail
    until the process is killed. `meanwhile` goes on beside a start that ends in crash. `again` are the codes that the same request
    may get afterwards, "" for none.
    """

    name: str
    points: tuple[str, ...]
    before: Sequence[Step]
    during: Step
    again: frozenset[str] = frozenset({""})
    asleep: bool = False
    faults: tuple[str, ...] = ()
    meanwhile: Step | None = None

    @property
    def is_request(self) -> bool:
        """Whether a client asked for it, and may ask again."""
        return not self.asleep and not self.name.startswith(("webhook", "purge", "push"))

    def moments(self) -> list[str]:
        """Each point twice: before and after."""
        return [moment for point in self.points for moment in around(point)]


def around(point: str) -> tuple[str, str]:
    """Its moments: before and after a call of a port, or a commit."""
    method, at, site = point.partition("@")
    return (f"{method}:before@{site}", f"{method}:after@{site}") if at else (f"{point}:before_commit", f"{point}:after_commit")


async def nothing(_on: TrialCall) -> None:
    """The service dies at what it does anyway."""


def known(*codes: str) -> frozenset[str]:
    return frozenset({"", *codes})
