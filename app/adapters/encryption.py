"""Small secrets at rest: written with the newest key, readable with all of them, so that keys can be rotated."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from domain.ports import NoSealingKey, Unreadable


class Encryption:
    """`domain.ports.Sealer`: AES-128-CBC with HMAC-SHA256 (Fernet) under a list of keys, the first of which writes."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Each key as `Fernet.generate_key` makes it: 32 bytes in URL-safe base64; without any, nothing can be written or read.

        Raises ValueError for a malformed key.
        """
        try:
            self._keys = [Fernet(key) for key in keys]
        except ValueError:
            raise ValueError("an encryption key must be 32 bytes in URL-safe base64") from None

    def seal(self, secret: str) -> str:
        """The secret as text for a column; the same secret never looks the same twice. Raises NoSealingKey."""
        return self._first().encrypt(secret.encode()).decode()

    def reveal(self, sealed: str) -> str:
        """What `seal` was given. Raises Unreadable, which never quotes the value."""
        self._first()
        try:
            return MultiFernet(self._keys).decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unreadable("no configured key reads this value") from None

    def reseal(self, sealed: str) -> str:
        """The same secret under the writing key; the same text where that key wrote it already. Raises Unreadable."""
        return sealed if self._is_of_first(sealed) else self.seal(self.reveal(sealed))

    def _is_of_first(self, sealed: str) -> bool:
        try:
            self._first().decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def _first(self) -> Fernet:
        if not self._keys:
            raise NoSealingKey("no encryption key is configured")
        return self._keys[0]
