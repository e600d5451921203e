"""Verifies a token's signature and times, with Hasura's names for what can be wrong."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from app.auth import claims
from app.auth.configuration import JwtConfiguration
from app.auth.jwks import JwkSet
from app.auth.refusals import invalid_jwt, token_expired

# Verifying costs more than a whole request by primary key; a token is verified once and then known.
MAX_KNOWN_TOKENS = 10_000
# With keys behind a URL a withdrawn key stops its tokens within this many seconds.
KNOWN_FOR = 60.0


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """`expires_at` is a unix time with the allowed skew in it; None: the token has no `exp`."""

    claims: claims.Claims
    expires_at: float | None


class TokenVerifier:
    """Tokens to claims; `clock` is unix time in seconds."""

    def __init__(self, configuration: JwtConfiguration, jwk_set: JwkSet | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._configuration, self._jwk_set, self._clock = configuration, jwk_set, clock
        self._known: dict[str, tuple[VerifiedToken, float]] = {}

    async def verify(self, token: str) -> VerifiedToken:
        """The claims of a token that may be trusted now; raises GraphQLRefusal."""
        known = self._known.get(token)
        if known is not None and self._clock() < known[1]:
            if known[0].expires_at is not None and self._clock() >= known[0].expires_at:
                raise token_expired()
            return known[0]
        verified = await self._verify(token)
        self._remember(token, verified)
        return verified

    def _remember(self, token: str, verified: VerifiedToken) -> None:
        if len(self._known) >= MAX_KNOWN_TOKENS:
            del self._known[next(iter(self._known))]
        self._known[token] = (verified, self._clock() + KNOWN_FOR)

    async def _verify(self, token: str) -> VerifiedToken:
        configuration = self._configuration
        try:
            payload: dict[str, Any] = jwt.decode(
                token,
                await self._key(token),
                algorithms=list(configuration.algorithms),
                audience=list(configuration.audience) if configuration.audience else None,
                issuer=configuration.issuer,
                leeway=configuration.allowed_skew,
                options={"verify_aud": configuration.audience is not None, "verify_sub": False, "verify_jti": False},
            )
        except jwt.PyJWTError as error:
            raise invalid_jwt(_reason(error, token)) from None
        expires = payload.get("exp")
        return VerifiedToken(claims.read(configuration, payload), None if expires is None else float(expires) + configuration.allowed_skew)

    async def _key(self, token: str) -> Any:
        if self._jwk_set is None:
            return self._configuration.key
        header = jwt.get_unverified_header(token)
        return await self._jwk_set.key(header.get("kid"))


def _reason(error: jwt.PyJWTError, token: str) -> str:
    """The words of Hasura's JOSE library; never a part of the token."""
    match error:
        case jwt.ExpiredSignatureError():
            return "JWTExpired"
        case jwt.InvalidAudienceError():
            return "JWTNotInAudience"
        case jwt.InvalidIssuerError():
            return "JWTNotInIssuer"
        case jwt.InvalidIssuedAtError():
            return "JWTIssuedAtFuture"
        case jwt.ImmatureSignatureError():
            return "JWTIssuedAtFuture" if "iat" in str(error) else "JWTNotYetValid"
        case jwt.MissingRequiredClaimError(claim="aud"):
            return "JWTNotInAudience"
        case jwt.MissingRequiredClaimError(claim="iss"):
            return "JWTNotInIssuer"
        case jwt.InvalidSignatureError() | jwt.InvalidAlgorithmError() | jwt.InvalidKeyError():
            return "JWSError JWSInvalidSignature"
    parts = token.count(".") + 1
    if parts != 3:
        return f"JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got {parts})"
    return "JWSError (JSONDecodeError not a JSON web token)"
