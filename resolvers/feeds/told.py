"""Events as followers get them: encoded once for all of a channel."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

# How many of them remember what a transport made of them: most clients give their operations the same few ids, or each its own.
WRITTEN: Final = 8


class Told(NamedTuple):
    """`body` is the payload `{"data": …}` as JSON. What it `takes_back` is as in `Event`."""

    seq: int
    body: bytes
    takes_back: int = 0


class EventBatch:
    """Events that go out together, the `last` seq among them. `written` keeps what transports made of them."""

    __slots__ = ("events", "last", "written")

    def __init__(self, events: Sequence[Told]) -> None:
        self.events = events
        self.last = events[-1].seq
        self.written: dict[bytes, bytes] = {}

    def keep(self, around: bytes, written: bytes) -> None:
        """For the next who puts the same around them."""
        if len(self.written) < WRITTEN:
            self.written[around] = written


class Direct(Protocol):
    """The short way to a client that takes what it gets."""

    def push(self, batch: EventBatch) -> bool:
        """Sends all of it now, or nothing: False when the client has yet to take what was sent before."""
        ...
