"""Who sent a webhook: LiveKit signs each delivery with one of the keys it shares with us."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256

import jwt
from livekit.api import TokenVerifier


class BadSignature(Exception):
    """The delivery is not signed by a key of ours, has expired, or its body was changed."""


class WebhookSignatures:
    """Checks deliveries against the configured keys; several of them during a rotation."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` maps each API key's name to its secret."""
        self._verifiers = {name: TokenVerifier(name, secret) for name, secret in keys.items()}

    def signed_digest(self, authorization: str) -> str:
        """The body's digest (base64 of SHA-256) that the sender signed; the header is the bare JWT. Raises BadSignature."""
        try:
            issuer = jwt.decode(authorization, options={"verify_signature": False}).get("iss")
            verifier = self._verifiers.get(issuer) if isinstance(issuer, str) else None
            digest = verifier.verify(authorization).sha256 if verifier else ""
        except jwt.PyJWTError as error:
            raise BadSignature(type(error).__name__) from None
        if not digest:
            raise BadSignature("unknown key, or a token that signs no body")
        return digest


def check_digest(body: bytes, digest: str) -> None:
    """Raises BadSignature when the body is not the one that was signed."""
    if not hmac.compare_digest(b64encode(sha256(body).digest()).decode(), digest):
        raise BadSignature("the body is not the one that was signed")
