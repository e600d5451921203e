"""One answer of a live query, and what is kept of it to know the next one from it."""

from hashlib import blake2b
from typing import Final
from weakref import ref

# Larger ones are not kept for those who are slow to take them: they look again.
KEPT_BYTES: Final = 64 * 1024


class Payload:
    """`mark` is the same for the same body, and never large. `version` counts the different answers that a live query had."""

    __slots__ = ("__weakref__", "body", "mark", "version")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.mark = body if len(body) <= KEPT_BYTES else blake2b(body).digest()
        self.version = 0

    @property
    def is_small(self) -> bool:
        """Whether it is kept for those who are slow to take it."""
        return self.mark is self.body


class KeptPayload:
    """The newest answer, and its body as long as it is small or somebody still sends it."""

    def __init__(self) -> None:
        self.mark = b""
        self._version = 0
        self._small: Payload | None = None
        self._large: ref[Payload] | None = None

    def keep(self, answer: Payload) -> bool:
        """Whether it is another one than before."""
        differs = answer.mark != self.mark
        self.mark = answer.mark
        self._version += differs
        answer.version = self._version
        self._small, self._large = (answer, None) if answer.is_small else (None, ref(answer))
        return differs

    def held(self) -> Payload | None:
        return self._small or (self._large() if self._large is not None else None)
