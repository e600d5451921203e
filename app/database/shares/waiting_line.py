"""Who waits for a place: a place goes to the share that had none for longest, the light ones first, and of those the newcomers.

The last places are left to those who are known to ask for little: newcomers, however many, can't keep them waiting, nor they the newcomers.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from app.database.shares.share import Share

Waiting = TypeVar("Waiting")


class WaitingLine(Generic[Waiting]):
    """Shares of whom somebody waits, each once."""

    def __init__(self) -> None:
        self._new: OrderedDict[Share[Waiting], None] = OrderedDict()
        self._known: OrderedDict[Share[Waiting], None] = OrderedDict()
        self._heavy: OrderedDict[Share[Waiting], None] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._new or self._known or self._heavy)

    def join(self, share: Share[Waiting], now: float) -> None:
        """At the end, unless it stands there."""
        if share not in self._new and share not in self._known and share not in self._heavy:
            self._line_of(share, now)[share] = None

    def leave(self, share: Share[Waiting]) -> None:
        """Nobody of it waits any more."""
        self._new.pop(share, None)
        self._known.pop(share, None)
        self._heavy.pop(share, None)

    def acquaint(self, share: Share[Waiting], now: float) -> None:
        """Who has become known while it waits, by what it had running, stands with those who are."""
        if share in self._new and share.is_known(now):
            del self._new[share]
            self._known[share] = None

    def lighten(self, now: float) -> None:
        """Who is light again waits with the light. Few are heavy: each of them took its seconds."""
        if self._heavy:
            for share in [share for share in self._heavy if not share.is_heavy(now)]:
                del self._heavy[share]
                self._new[share] = None

    def somebody_light(self, now: float) -> bool:
        """Whether somebody waits who should not have to."""
        return any(share.running < share.limit and not share.is_heavy(now) for line in (self._known, self._new) for share in line)

    def next_light(self, fits: Callable[[Share[Waiting]], bool], now: float, *, newcomers: bool) -> Share[Waiting] | None:
        """The first that fits leaves the line; who has become heavy waits with the heavy. Without `newcomers`: of those who are known."""
        for line in (self._new, self._known) if newcomers else (self._known,):
            while share := _leave(line, fits):
                if not share.is_heavy(now):
                    return share
                self._heavy[share] = None
        return None

    def _line_of(self, share: Share[Waiting], now: float) -> OrderedDict[Share[Waiting], None]:
        if share.is_heavy(now):
            return self._heavy
        return self._known if share.is_known(now) else self._new

    def next_heavy(self, fits: Callable[[Share[Waiting]], bool]) -> Share[Waiting] | None:
        """The first that fits leaves the line."""
        return _leave(self._heavy, fits)


def _leave(line: OrderedDict[Share[Waiting], None], fits: Callable[[Share[Waiting]], bool]) -> Share[Waiting] | None:
    """Whoever does not fit has something running: no more are passed than places are taken."""
    for share in line:
        if fits(share):
            del line[share]
            return share
    return None
