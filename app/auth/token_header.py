"""Finds tokens in a request's headers."""

from collections.abc import Mapping

from app.auth.configuration import TokenHeader
from app.auth.refusals import invalid_headers


def find_tokens(where: TokenHeader, headers: Mapping[str, str]) -> list[str]:
    """The tokens that the request brings there, for a cookie may come twice; raises invalid-headers for a malformed Authorization."""
    match where.kind:
        case "Cookie":
            return _cookies(headers.get("cookie", ""), where.name)
        case "CustomHeader":
            return [headers[where.name]] if where.name in headers else []
    value = headers.get("authorization")
    if value is None:
        return []
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or " " in token.strip():
        raise invalid_headers("Malformed Authorization header")
    return [token.strip()]


def _cookies(header: str, name: str) -> list[str]:
    """By hand: Python's own reader takes none of them when one, of whatever program, is not as it should be. An empty one is none."""
    found = (pair.strip().partition("=") for pair in header.split(";"))
    values = (value.removeprefix('"').removesuffix('"') for given, _, value in found if given == name)
    return [value for value in values if value]
