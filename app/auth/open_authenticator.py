"""The authenticator that the settings describe."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp

from app.auth import Authenticator, JwtConfiguration
from app.auth.hook import AuthHook
from app.auth.keys.jwks import JwkSet
from app.auth.strict_json import read_json
from app.auth.verifier import TokenVerifier
from app.settings import ConfigurationError, Settings

# Questions to the webhook that are open at a time.
AT_ONCE: Final = 1000


def admin_secrets(settings: Settings) -> tuple[str, ...]:
    """Those that count: the list, or the one. Raises ConfigurationError."""
    if settings.admin_secrets is None:
        return () if settings.admin_secret is None else (settings.admin_secret.get_secret_value(),)
    try:
        found = read_json(settings.admin_secrets.get_secret_value())
    except ValueError:
        found = None
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
        raise ConfigurationError("NCHAT_ADMIN_SECRETS is not a JSON list of texts, each with something in it")
    return tuple(found)


def jwt_configurations(settings: Settings) -> tuple[JwtConfiguration, ...]:
    """How tokens are verified, one configuration an issuer; none when there are no tokens. Raises ConfigurationError."""
    if settings.jwt_secrets is not None:
        return JwtConfiguration.parse_list(settings.jwt_secrets.get_secret_value())
    return (JwtConfiguration.parse(settings.jwt_secret.get_secret_value()),) if settings.jwt_secret is not None else ()


@asynccontextmanager
async def open_authenticator(
    settings: Settings, configurations: Sequence[JwtConfiguration], additions: Mapping[str, str] | None = None
) -> AsyncIterator[Authenticator]:
    """Who may ask what; with keys behind URLs or a webhook it holds HTTP clients, closed at the end. `additions` go into every session."""
    async with AsyncExitStack() as stack:
        yield Authenticator(
            admin_secrets=admin_secrets(settings),
            tokens=[TokenVerifier(one, await _keys(one, stack)) for one in configurations],
            hook=await _hook(settings, stack),
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


async def _hook(settings: Settings, stack: AsyncExitStack) -> AuthHook | None:
    """A client that keeps no cookie: those of one caller are nobody else's."""
    if settings.auth_hook is None:
        return None
    # Who waits for a webhook that is slow with them keeps nobody else from asking it.
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()))
    return AuthHook(settings.auth_hook, http, mode=settings.auth_hook_mode, send_request_body=settings.auth_hook_send_request_body)
