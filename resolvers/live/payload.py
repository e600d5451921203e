"""One answer of a live query, and what is kept of it to know the next one from it."""

from hashlib import blake2b
from typing import Final
from weakref import ref

# Larger ones are not kept for those who are slow to take them: they look again.
KEPT_BYTES: Final = 64 * 1024


class Payload:
    """`mark` is the same for the same body, and never large."""

    __slots__ = ("__weakref__", "body", "mark")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.mark = body if len(body) <= KEPT_BYTES else blake2b(body).digest()


class KeptPayload:
    """The newest answer, and its body as long as it is small or somebody still sends it."""

    def __init__(self) -> None:
        self.mark = b""
        self._small: Payload | None = None
        self._large: ref[Payload] | None = None

    def keep(self, answer: Payload) -> None:
        self.mark = answer.mark
        is_small = answer.mark is answer.body
        self._small, self._large = (answer, None) if is_small else (None, ref(answer))

    def held(self) -> Payload | None:
        return self._small or (self._large() if self._large is not None else None)
