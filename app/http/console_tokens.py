"""Tokens for the demo users that the console offers in development."""

from collections.abc import Callable
from uuid import UUID

from app.auth.token_signing import TokenSigner
from app.http.console import OfferedUser
from app.settings import Settings

LIFE = 3600


def token_maker(settings: Settings) -> Callable[[OfferedUser], str]:
    """Signs a fresh token, good for an hour; raises ConfigurationError when the settings can only verify."""
    signer = TokenSigner.of(settings.jwt_secret)

    def token_for(user: OfferedUser) -> str:
        return signer.sign(UUID(user.id), user.role, ttl=LIFE)

    return token_for
