"""Presigned addresses of small pieces: many watch the same ones, and making an address costs as much as looking up the right to it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from domain.recording_ports import ObjectStore

# Seconds that a piece's address lives, and those for which it is given out again: each lives ten minutes at least.
LIFE: Final = 900
GIVEN_FOR: Final = 300
# Of a stream ten minutes at most: whoever lost the right may use what was given out before.
STREAM_LIFE: Final = 600
MOST: Final = 4096


class PieceAddresses:
    """The newest of a process. `now` and `life` are in seconds, and `now` never goes back. `inside`: for this service, not for browsers."""

    def __init__(self, store: ObjectStore, now: Callable[[], float], *, life: int = LIFE, inside: bool = False) -> None:
        self._store, self._now, self._life, self._inside = store, now, life, inside
        self._known: OrderedDict[tuple[str | None, str], tuple[str, float]] = OrderedDict()

    def of(self, key: str, bucket: str | None = None) -> str:
        """An address for this object, in a bucket that is not that of the settings if one is named."""
        address, until = self._known.get((bucket, key), ("", 0.0))
        if until <= self._now():
            address = self._store.of(bucket).link(key, seconds=self._life, inside=self._inside)
            self._known[bucket, key] = (address, self._now() + GIVEN_FOR)
            self._known.move_to_end((bucket, key))
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        return address
