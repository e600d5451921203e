"""The registered claims of a token (RFC 7519): when it counts, whom it is for, and who made it."""

from collections.abc import Mapping
from typing import Any, Final

from app.auth.configuration import JwtConfiguration
from app.auth.refusals import invalid_jwt, token_expired

# Up to here every reader of JSON sees the same number (RFC 8259); as seconds it is beyond any calendar.
_LARGEST: Final = 1 << 53


def check(configuration: JwtConfiguration, payload: Mapping[str, Any], now: float) -> float | None:
    """When the token expires, with the allowed skew in it, or None. Raises invalid-jwt unless it counts at the unix time `now`."""
    skew = configuration.allowed_skew
    expires, begins, made = (_time(payload, name) for name in ("exp", "nbf", "iat"))
    if expires is not None and now >= expires + skew:
        raise token_expired()
    if begins is not None and begins > now + skew:
        raise invalid_jwt("JWTNotYetValid")
    if made is not None and made > now + skew:
        raise invalid_jwt("JWTIssuedAtFuture")
    if configuration.issuer is not None and payload.get("iss") != configuration.issuer:
        raise invalid_jwt("JWTNotInIssuer")
    if configuration.audience is not None and not _is_for(configuration.audience, payload.get("aud")):
        raise invalid_jwt("JWTNotInAudience")
    return None if expires is None else expires + skew


def _time(payload: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate. Python takes a truth value and a text for a number, and a float for a time that never comes."""
    if name not in payload:
        return None
    value = payload[name]
    # Put so that what is no number at all, NaN, is none either.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise invalid_jwt(f"JWTClaimsSetDecodeError {name} is not a time")
    return float(value)


def _is_for(ours: tuple[str, ...], audience: object) -> bool:
    given = audience if isinstance(audience, list) else [audience]
    return any(isinstance(one, str) and one in ours for one in given)
