"""Tokens for the demo users that the console offers in development."""

from collections.abc import Callable
from uuid import UUID

from app.console import DemoUser
from app.settings import Settings
from app.token_signing import TokenSigner

LIFE = 3600


def token_maker(settings: Settings) -> Callable[[DemoUser], str]:
    """Signs a fresh token, good for an hour; raises ConfigurationError when the settings can only verify."""
    signer = TokenSigner.of(settings.jwt_secret)

    def token_for(user: DemoUser) -> str:
        return signer.sign(UUID(user.id), user.role, ttl=LIFE)

    return token_for
