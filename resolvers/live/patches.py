"""What clients that ask for deltas get: the first answer whole, then what changed, made once for all who saw the same before."""

import json
from typing import Any, Final

from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import Number, json_text
from resolvers.documents.lru import LRU
from resolvers.live.json_patch import patch
from resolvers.live.payload import Payload
from resolvers.loop_share import LoopShare

# Patches that are remembered, and the bytes of those and of the answers that they lead from and to.
_PATCHES: Final = 256
_BYTES: Final = 16 << 20
# Values in an answer, nearly: to compare so many with as many takes some 10 ms.
_MOST_VALUES: Final = 2_048
# Values that are read and compared in a tenth of a millisecond.
_VALUES_AT_ONCE: Final = 40
_DATA: Final = "data"
_NO_PATCH: Final = b""


class Patches:
    """The newest patches of a process, by what they lead from and to."""

    def __init__(self, share: LoopShare | None = None) -> None:
        self._known: LRU[tuple[bytes, bytes], bytes] = LRU(_PATCHES, _BYTES)
        self._share = share or LoopShare()

    def between(self, before: bytes, after: bytes, principal: str = "") -> bytes | None:
        """The patch of one body's `data` to the other's, as JSON.

        None when there is none, when to find it would take long, or when the principal had many found just now.
        """
        known = self._known.get((before, after))
        if known is None:
            if not self._share.is_left(principal):
                return None
            self._share.take(principal, _cost(before) + _cost(after))
            known = _between(before, after)
            self._known.put((before, after), known, len(before) + len(after) + len(known))
        return known or None


def _cost(body: bytes) -> int:
    """In tenths of a millisecond."""
    return 1 + len(body) // 4096 + body.count(b",") // _VALUES_AT_ONCE


def _between(before: bytes, after: bytes) -> bytes:
    if max(before.count(b","), after.count(b",")) > _MOST_VALUES:
        return _NO_PATCH
    try:
        old, new = _exact(before), _exact(after)
        if _DATA not in old or _DATA not in new:
            return _NO_PATCH
        return json_text(list(patch(old[_DATA], new[_DATA]))).encode()
    except (GraphQLRefusal, RecursionError):
        # Nested too deeply.
        return _NO_PATCH


def _exact(body: bytes) -> Any:
    """Numbers as they are written: to Python 1, 1.0 and true are equal."""
    return json.loads(body, parse_int=Number, parse_float=Number)


class Deltas:
    """What one client was told, and how it is told the next. The `version` counts what it was sent."""

    def __init__(self, patches: Patches, principal: str = "") -> None:
        self._patches, self._principal = patches, principal
        # Of the last answer that was sent: the body of a small one, and its version in the cohort.
        self._body, self._of_cohort = b"", 0
        self._version = 0

    def body(self, payload: Payload) -> bytes:
        """The payload as a patch of the one before. Whole is the first, what follows a version that was skipped, and what is smaller so."""
        told = self._patch(payload) or _whole(payload.body, self._version + 1)
        self._body, self._of_cohort = (payload.body if payload.is_small else b""), payload.version
        self._version += 1
        return told

    def _patch(self, payload: Payload) -> bytes | None:
        if payload.version != self._of_cohort + 1 or not self._body or not payload.is_small:
            return None
        found = self._patches.between(self._body, payload.body, self._principal)
        if found is None:
            return None
        told = b'{"data":null,"extensions":{"patch":%b,"base":%d,"version":%d}}' % (found, self._version, self._version + 1)
        return told if len(told) < len(payload.body) else None


def _whole(body: bytes, version: int) -> bytes:
    return b'%b,"extensions":{"version":%d}}' % (body.rstrip()[:-1], version)
