"""A bounded mapping that forgets what was used longest ago."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LRU(Generic[K, V]):
    """At most `size` entries, and no more weight in all than `capacity` (in whatever unit `put` is told weights)."""

    def __init__(self, size: int, capacity: int | None = None) -> None:
        self._size, self._capacity = size, capacity
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._weights: dict[K, int] = {}
        self._weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def weight(self) -> int:
        """Of all entries together."""
        return self._weight

    def get(self, key: K) -> V | None:
        """The value, now the most recently used; None when it was forgotten or never there."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: K, value: V, weight: int = 0) -> None:
        self._weight += weight - self._weights.get(key, 0)
        self._entries[key], self._weights[key] = value, weight
        self._entries.move_to_end(key)
        while len(self._entries) > self._size or (self._capacity is not None and self._weight > self._capacity):
            forgotten, _ = self._entries.popitem(last=False)
            self._weight -= self._weights.pop(forgotten)
