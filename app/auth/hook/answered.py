"""A webhook's answer, read as Hasura reads it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import structlog

from app.auth.claims_map import ALLOWED_ROLES
from app.auth.refusals import invalid_params, kind_of, unexpected_hook
from app.auth.strict_json import read_json
from permissions.errors import GraphQLRefusal

log = structlog.get_logger(__name__)

ROLE: Final = "x-hasura-role"
_PREFIX: Final = "x-hasura-"
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])(?:s-maxage|max-age)\s*=\s*\"?(\d{1,10})")
_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answered:
    """`expires_at` is a unix time: a websocket whose session it is closes then."""

    role: str
    variables: Mapping[str, str]
    expires_at: float | None


def read(body: bytes, now: float) -> Answered:
    """The session that the body of a 200 names; raises GraphQLRefusal."""
    given = _texts(body)
    variables = {name: value for name, value in given.items() if name.startswith(_PREFIX) and name != ALLOWED_ROLES}
    if not variables.get(ROLE):
        raise invalid_params(f"{ROLE} not found in session variables")
    return Answered(variables[ROLE], variables, _expiry(given, now))


def _texts(body: bytes) -> dict[str, str]:
    try:
        found = read_json(body)
    except ValueError as error:
        raise unexpected_hook(f"Invalid response from authorization hook: {error}") from None
    if not isinstance(found, dict):
        raise _not_read("$", "HashMap", "Object", found)
    given: dict[str, str] = {}
    for spelled, value in found.items():
        if not isinstance(value, str):
            raise _not_read(f"$['{spelled}']", "Text", "String", value)
        name = spelled.lower()
        if _NO_TEXT.search(value) or name in given:
            raise unexpected_hook("Invalid response from authorization hook: a name given twice, or a text that PostgreSQL can't hold")
        given[name] = value
    return given


def _not_read(place: str, wanted: str, kind: str, found: object) -> GraphQLRefusal:
    words = f"Error in {place}: parsing {wanted} failed, expected {kind}, but encountered {kind_of(found)}"
    return unexpected_hook(f"Invalid response from authorization hook: {words}")


def _expiry(given: Mapping[str, str], now: float) -> float | None:
    """By `Cache-Control`, else by `Expires`, both in the body, where Hasura looks for them; what can't be read counts for nothing."""
    if (control := given.get("cache-control")) is not None:
        if found := _MAX_AGE.search(control.lower()):
            return now + int(found[1])
        log.warning("auth_hook_expiry_not_read", header="Cache-Control")
    if (moment := given.get("expires")) is not None:
        try:
            return parsedate_to_datetime(moment).timestamp()
        except (ValueError, OverflowError):
            log.warning("auth_hook_expiry_not_read", header="Expires")
    return None
