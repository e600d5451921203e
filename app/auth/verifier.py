"""Verifies a token's signature and times, with Hasura's names for what can be wrong."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import jwt

from app.auth import claims, registered_claims
from app.auth.configuration import JwtConfiguration, TokenHeader
from app.auth.keys.jwks import JwkSet
from app.auth.keys.published_keys import PublishedKey
from app.auth.refusals import invalid_jwt, token_expired
from app.auth.strict_json import read_object
from permissions.session import Session

# Verifying costs more than a whole request by primary key; a token is verified once and then known.
MAX_KNOWN_TOKENS = 10_000
# With keys behind a URL a withdrawn key stops its tokens within this many seconds.
KNOWN_FOR = 60.0


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """`expires_at` is a unix time with the allowed skew in it; None: the token has no `exp`. `sessions` are those made of it, by role."""

    claims: claims.Claims
    expires_at: float | None
    sessions: dict[str, Session] = field(default_factory=dict, compare=False)


class TokenVerifier:
    """Tokens to claims; `clock` is unix time in seconds."""

    def __init__(self, configuration: JwtConfiguration, jwk_set: JwkSet | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._configuration, self._jwk_set, self._clock = configuration, jwk_set, clock
        self._known: dict[str, tuple[VerifiedToken, float]] = {}

    @property
    def header(self) -> TokenHeader:
        """Where its tokens travel."""
        return self._configuration.header

    def may_have_issued(self, token: str) -> bool:
        """Whether a token, not verified yet, is of the issuer that is set here; one that names none may be of any."""
        issuer = self._configuration.issuer
        if issuer is None or token in self._known:
            return True
        return _issuer_named(token) in (None, issuer)

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
        signed = await self._signed(token)
        try:
            payload = read_object(signed)
        except ValueError as error:
            raise invalid_jwt(f"JWTClaimsSetDecodeError {error}") from None
        expires = registered_claims.check(self._configuration, payload, self._clock())
        return VerifiedToken(claims.read(self._configuration, payload), expires)

    async def _signed(self, token: str) -> bytes:
        """What the token's signature covers, once a key of ours has made it."""
        try:
            header = jwt.get_unverified_header(token)
            key_id, algorithm = header.get("kid"), header.get("alg")
            if algorithm not in self._configuration.algorithms:
                raise jwt.InvalidAlgorithmError
            return await self._signed_by_one(token, key_id, str(algorithm))
        except (jwt.PyJWTError, RecursionError) as error:
            raise invalid_jwt(_reason(error, token)) from None

    async def _signed_by_one(self, token: str, key_id: str | None, algorithm: str) -> bytes:
        if self._jwk_set is None:
            return _checked(token, self._configuration.key, algorithm)
        keys = await self._jwk_set.keys(key_id, algorithm)
        if (signed := _first_checked(token, keys, algorithm)) is None:
            keys = await self._jwk_set.newer_keys(key_id, algorithm)
            signed = _first_checked(token, keys, algorithm)
        if signed is None:
            raise jwt.InvalidSignatureError
        return signed


def _issuer_named(token: str) -> object:
    """What anybody may have written there; None for a token that can't be read, which the verification tells better."""
    try:
        return read_object(jwt.PyJWS().decode_complete(token, options={"verify_signature": False})["payload"]).get("iss")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None


def _first_checked(token: str, keys: Iterable[PublishedKey], algorithm: str) -> bytes | None:
    for key in keys:
        try:
            return _checked(token, key.key, algorithm)
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError):
            continue
    return None


def _checked(token: str, key: Any, algorithm: str) -> bytes:
    signed: bytes = jwt.PyJWS().decode_complete(token, key, algorithms=[algorithm])["payload"]
    return signed


def _reason(error: jwt.PyJWTError | RecursionError, token: str) -> str:
    """The words of Hasura's JOSE library; never a part of the token."""
    if isinstance(error, jwt.InvalidSignatureError | jwt.InvalidAlgorithmError | jwt.InvalidKeyError):
        return "JWSError JWSInvalidSignature"
    parts = token.count(".") + 1
    if parts != 3:
        return f"JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got {parts})"
    return "JWSError (JSONDecodeError not a JSON web token)"
