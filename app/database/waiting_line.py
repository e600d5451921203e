"""Who waits for a place: a place goes to the share that had none for longest, the light ones first."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from app.database.share import Share

Waiting = TypeVar("Waiting")


class WaitingLine(Generic[Waiting]):
    """Shares of whom somebody waits, each once."""

    def __init__(self) -> None:
        self._light: OrderedDict[Share[Waiting], None] = OrderedDict()
        self._heavy: OrderedDict[Share[Waiting], None] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._light or self._heavy)

    def join(self, share: Share[Waiting], now: float) -> None:
        """At the end, unless it stands there."""
        if share not in self._light and share not in self._heavy:
            (self._heavy if share.is_heavy(now) else self._light)[share] = None

    def leave(self, share: Share[Waiting]) -> None:
        """Nobody of it waits any more."""
        self._light.pop(share, None)
        self._heavy.pop(share, None)

    def lighten(self, now: float) -> None:
        """Who is light again waits with the light. Few are heavy: each of them took its seconds."""
        for share in [share for share in self._heavy if not share.is_heavy(now)]:
            del self._heavy[share]
            self._light[share] = None

    def somebody_light(self, now: float) -> bool:
        """Whether somebody waits who should not have to."""
        return any(share.running < share.limit and not share.is_heavy(now) for share in self._light)

    def next_light(self, fits: Callable[[Share[Waiting]], bool], now: float) -> Share[Waiting] | None:
        """The first that fits leaves the line; who has become heavy waits with the heavy."""
        while share := _leave(self._light, fits):
            if not share.is_heavy(now):
                return share
            self._heavy[share] = None
        return None

    def next_heavy(self, fits: Callable[[Share[Waiting]], bool]) -> Share[Waiting] | None:
        """The first that fits leaves the line."""
        return _leave(self._heavy, fits)


def _leave(line: OrderedDict[Share[Waiting], None], fits: Callable[[Share[Waiting]], bool]) -> Share[Waiting] | None:
    """Whoever does not fit has something running: no more are passed than places are taken."""
    share = next(filter(fits, line), None)
    if share is not None:
        del line[share]
    return share
