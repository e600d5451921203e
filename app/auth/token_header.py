"""Finds the token in a request's headers."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from app.auth.configuration import TokenHeader
from app.auth.refusals import invalid_headers


def find_token(where: TokenHeader, headers: Mapping[str, str]) -> str | None:
    """The token, or None when the request brings none; raises invalid-headers for a malformed Authorization header."""
    match where.kind:
        case "Cookie":
            return _cookie(headers.get("cookie", ""), where.name)
        case "CustomHeader":
            return headers.get(where.name)
    value = headers.get("authorization")
    if value is None:
        return None
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or " " in token.strip():
        raise invalid_headers("Malformed Authorization header")
    return token.strip()


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found is not None else None
