"""Links to media: `/media/{kind}/{id}/{expiry.role.user.signature}`. PostgreSQL signs them (migration 0024) with what a session brings
along; here they are read."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.settings import Settings
from permissions.session import USER_ID, Session

PURPOSE: Final = b"nchat-rtc media links"
BLOCK: Final = 64
SIGNATURE_BYTES: Final = 16
NOBODY: Final = "-"
ROLE: Final = "x-hasura-role"
# The kind of a stream's links.
STREAM: Final = "stream"
DASH: Final = "dash"
TOKEN: Final = re.compile(
    r"([0-9]{1,12})\.([A-Za-z0-9_-]{1,64})\.([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|-)\.([A-Za-z0-9_-]{22})"
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """For whom a link was made, and until when it lives (a unix time in seconds)."""

    role: str
    user: str
    expires_at: int

    def session(self) -> Session:
        """As whom the right is looked up: the role and the person, and nothing else that a token once said."""
        person = {} if self.user == NOBODY else {USER_ID: self.user}
        return Session(self.role, {ROLE: self.role, **person})


class LinkKey:
    """The key of the deployment's links, derived from a secret that may have other uses."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, PURPOSE, "sha256")

    @classmethod
    def of(cls, settings: Settings) -> "LinkKey | None":
        """From the setting of its own, else from the first encryption key; None without either: then nothing has a link."""
        if settings.link_key is not None:
            return cls(settings.link_key.get_secret_value().encode())
        if settings.encryption_keys:
            return cls(base64.urlsafe_b64decode(settings.encryption_keys[0].get_secret_value()))
        return None

    def sign(self, kind: str, id: UUID, bearer: Bearer) -> str:
        """The last part of a link's path."""
        told = f"{bearer.expires_at}.{bearer.role}.{bearer.user}"
        return f"{told}.{self._signature(f'{kind}/{id}/{told}')}"

    def read(self, kind: str, id: UUID, token: str) -> Bearer | None:
        """Who may follow the link, whatever its age; None when it is not one of ours."""
        found = TOKEN.fullmatch(token)
        if found is None:
            return None
        told, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(f"{kind}/{id}/{told}"), signature):
            return None
        return Bearer(found[2], found[3], int(found[1]))

    def padded(self) -> str:
        """The key as PostgreSQL gets it, which has sha256() alone: HMAC's inner block and its outer one, in hexadecimal."""
        key = self._key.ljust(BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in key).hex() + bytes(byte ^ 0x5C for byte in key).hex()

    def _signature(self, text: str) -> str:
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)[:SIGNATURE_BYTES]
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def link_additions(settings: Settings, *, media: bool = True) -> Mapping[str, str]:
    """What sessions bring along for the functions that make links; nothing without a key. Holds a secret.

    Without `media`, where nothing is recorded, only calendars have links.
    """
    key = LinkKey.of(settings)
    if key is None:
        return {}
    lives = {"x-nchat-calendar-expiry": str(settings.playback_link_ttl)}
    if media:
        lives |= {"x-nchat-link-expiry": str(settings.media_link_ttl), "x-nchat-playback-expiry": str(settings.playback_link_ttl)}
    return {"x-nchat-link-base": settings.public_url, "x-nchat-link-key": key.padded(), **lives}
