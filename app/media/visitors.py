"""In whose name a link is followed."""

from typing import Final
from uuid import UUID

from app.media.links import DASH, ROLE, STREAM, LinkKey
from domain.ports import Clock
from domain.recordings.playing.addresses import UNSIGNED, UNSIGNED_DASH
from permissions.session import Session

OPEN: Final = {(STREAM, UNSIGNED), (DASH, UNSIGNED_DASH)}


class Visitors:
    """Those who come by a link of ours. A stream has an address that nobody signed besides: whoever comes by it has the role of
    `stranger`, that of callers without a token; None where they are refused."""

    def __init__(self, key: LinkKey, clock: Clock, stranger: str | None = None) -> None:
        self._key, self._clock, self._stranger = key, clock, stranger

    def session(self, kind: str, id: UUID, token: str) -> Session | None:
        """None when the link is over, or none of ours."""
        if (kind, token) in OPEN:
            return None if self._stranger is None else Session(self._stranger, {ROLE: self._stranger})
        bearer = self._key.read(kind, id, token)
        return None if bearer is None or bearer.expires_at <= self._clock.now().timestamp() else bearer.session()
