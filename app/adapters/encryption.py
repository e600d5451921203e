"""Small secrets at rest: written with the newest key, readable with all of them, so that keys can be rotated."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from domain.ports import Unreadable


class Undecryptable(Unreadable):
    """The stored value was written with a key that is no longer configured, or was changed."""


class NoKey(Undecryptable):
    """There is no encryption key."""


class Encryption:
    """AES-128-CBC with HMAC-SHA256 (Fernet) under a list of keys, the first of which writes."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Each key as `Fernet.generate_key` makes it: 32 bytes in URL-safe base64; without any, nothing can be written or read.

        Raises ValueError for a malformed key.
        """
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None
        except ValueError:
            raise ValueError("an encryption key must be 32 bytes in URL-safe base64") from None

    def encrypt(self, secret: str) -> str:
        """The secret as text for a column; the same secret never looks the same twice. Raises NoKey."""
        return self._keys().encrypt(secret.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """What `encrypt` was given. Raises Undecryptable, which never quotes the value."""
        try:
            return self._keys().decrypt(stored.encode()).decode()
        except InvalidToken:
            raise Undecryptable("no configured key reads this value") from None

    def rotate(self, stored: str) -> str:
        """The same secret under the writing key. Raises Undecryptable."""
        try:
            return self._keys().rotate(stored.encode()).decode()
        except InvalidToken:
            raise Undecryptable("no configured key reads this value") from None

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            raise NoKey("no encryption key is configured")
        return self._fernet
