"""The authenticator that the settings describe."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from app.auth import Authenticator, JwtConfiguration
from app.auth.jwks import JwkSet
from app.auth.verifier import TokenVerifier
from app.settings import Settings


def jwt_configuration(settings: Settings) -> JwtConfiguration | None:
    """How tokens are verified; None when there are none. Raises ConfigurationError."""
    return JwtConfiguration.parse(settings.jwt_secret.get_secret_value()) if settings.jwt_secret is not None else None


@asynccontextmanager
async def open_authenticator(
    settings: Settings, configuration: JwtConfiguration | None, additions: Mapping[str, str] | None = None
) -> AsyncIterator[Authenticator]:
    """Who may ask what; with keys behind a URL it holds an HTTP client, closed at the end. `additions` go into every session."""
    async with AsyncExitStack() as stack:
        yield Authenticator(
            admin_secret=settings.admin_secret.get_secret_value() if settings.admin_secret else None,
            tokens=TokenVerifier(configuration, await _keys(configuration, stack)) if configuration else None,
            token_header=configuration.header if configuration else None,
            unauthorized_role=settings.unauthorized_role,
            additions=additions,
        )


async def _keys(configuration: JwtConfiguration, stack: AsyncExitStack) -> JwkSet | None:
    if configuration.jwk_url is None:
        return None
    http = await stack.enter_async_context(aiohttp.ClientSession())
    keys = JwkSet(configuration.jwk_url, http)
    stack.push_async_callback(keys.close)
    return keys
