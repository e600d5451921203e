"""Who sent a webhook: LiveKit signs each delivery with one of the keys it shares with us."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import jwt

# Seconds that LiveKit's clock and ours may differ by.
LEEWAY: Final = 60


class BadSignature(Exception):
    """The delivery is not signed by a key of ours, has expired, or its body was changed."""


class WebhookSignatures:
    """Checks deliveries against the configured keys; several of them during a rotation."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` maps each API key's name to its secret."""
        self._keys = keys

    def signed_digest(self, authorization: str) -> str:
        """The body's digest (base64 of SHA-256) that the sender signed; the header is the bare JWT. Raises BadSignature."""
        for name, secret in self._keys.items():
            try:
                claims = jwt.decode(authorization, secret, algorithms=["HS256"], issuer=name, leeway=LEEWAY, options={"require": ["exp"]})
            except (jwt.InvalidSignatureError, jwt.InvalidIssuerError):
                continue
            except (jwt.PyJWTError, ValueError) as error:
                raise BadSignature(type(error).__name__) from None
            return _digest(claims)
        raise BadSignature("unknown key")


def _digest(claims: Mapping[str, object]) -> str:
    digest = claims.get("sha256")
    if not isinstance(digest, str) or not digest.isascii() or not digest:
        raise BadSignature("a token that signs no body")
    return digest


def check_digest(body: bytes, digest: str) -> None:
    """Raises BadSignature when the body is not the one that was signed."""
    if not hmac.compare_digest(b64encode(sha256(body).digest()).decode(), digest):
        raise BadSignature("the body is not the one that was signed")
