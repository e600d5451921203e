"""Manifests of DASH, read from the store once a second however many ask."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from domain.recording_ports import MANIFEST, ObjectStore

CONTENT_TYPE: Final = "application/dash+xml"
FRESH_FOR: Final = 1.0
MOST: Final = 200
# Where a manifest says what its pieces are called.
NAMED: Final = (b'initialization="', b'media="')


@dataclass(slots=True)
class _Known:
    body: bytes | None = None
    looked_at: float = float("-inf")
    # Who comes while it is read waits, and then finds it fresh.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Manifests:
    """Those of a process. `now` is in seconds, and never goes back."""

    def __init__(self, store: ObjectStore, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def of(self, prefix: str, bucket: str | None, link: str) -> bytes | None:
        """The manifest below this prefix, whose pieces are named below `link`, a relative name; None where there is none.

        Raises StorageError.
        """
        known = self._known.setdefault(prefix, _Known())
        self._known.move_to_end(prefix)
        async with known.lock:
            if self._now() - known.looked_at >= FRESH_FOR:
                known.body, known.looked_at = await self._store.of(bucket).read(prefix + MANIFEST), self._now()
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return None if known.body is None else _linked(known.body, f"{link}/0/".encode())


def _linked(body: bytes, below: bytes) -> bytes:
    for name in NAMED:
        body = body.replace(name, name + below)
    return body
