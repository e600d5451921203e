"""From a verified token's claims to session variables, as Hasura reads them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.auth import json_path
from app.auth.configuration import ClaimPath, JwtConfiguration
from app.auth.refusals import access_denied, invalid_claims, missing_role_claim
from app.auth.strict_json import read_object

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
ALLOWED_ROLES = "x-hasura-allowed-roles"
DEFAULT_ROLE = "x-hasura-default-role"
ROLE = "x-hasura-role"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token grants: the roles its bearer may take and the session variables that go with each."""

    allowed_roles: frozenset[str]
    default_role: str
    variables: Mapping[str, str]

    def role(self, requested: str | None) -> str:
        """The role of one request (`X-Hasura-Role`, else the default); raises access-denied."""
        role = requested if requested is not None else self.default_role
        if role not in self.allowed_roles:
            raise access_denied("Your requested role is not in allowed roles")
        return role


def read(configuration: JwtConfiguration, token: Mapping[str, Any]) -> Claims:
    """Finds and checks the Hasura claims of a verified token; raises GraphQLRefusal."""
    found = _from_map(configuration.claims_map, token) if configuration.claims_map is not None else _from_namespace(configuration, token)
    claims = _each_once(found)
    allowed, default = _roles(claims)
    variables = {name: _text(name, value) for name, value in claims.items() if name not in (ALLOWED_ROLES, DEFAULT_ROLE, ROLE)}
    return Claims(allowed, default, variables)


def _each_once(found: Mapping[str, Any]) -> dict[str, Any]:
    """Hasura's claims by their lower-case names. Two spellings of one are two values of it, and which counts must not be left to chance."""
    claims: dict[str, Any] = {}
    for spelled, value in found.items():
        name = spelled.lower()
        if name.startswith("x-hasura-"):
            if name in claims:
                raise invalid_claims(f"{name} is given twice, in different spellings")
            claims[name] = value
    return claims


def _from_map(sources: Mapping[str, Any], token: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _at(source, token) if isinstance(source, ClaimPath) else source for name, source in sources.items()}


def _at(source: ClaimPath, token: Mapping[str, Any]) -> Any:
    try:
        return json_path.look_up(token, source.path)
    except LookupError:
        if source.has_default:
            return source.default
        raise invalid_claims(f"JWT claim from claims_map, {source.text!r} not found") from None


def _from_namespace(configuration: JwtConfiguration, token: Mapping[str, Any]) -> Mapping[str, Any]:
    if configuration.namespace_path is not None:
        place = f"claims not found at claims_namespace_path: '{configuration.namespace_path.text}'"
        path = configuration.namespace_path.path
    else:
        place, path = f"claims key: '{configuration.namespace}' not found", (str(configuration.namespace),)
    try:
        found = json_path.look_up(token, path)
    except LookupError:
        raise invalid_claims(place) from None
    return _object(found, configuration.stringified)


def _object(found: object, stringified: bool) -> Mapping[str, Any]:
    if stringified:
        if not isinstance(found, str):
            raise invalid_claims("expecting a string when claims_format is stringified_json")
        try:
            return read_object(found)
        except ValueError as error:
            raise invalid_claims(f"the string of the claims is no JSON object: {error}") from None
    if not isinstance(found, dict):
        raise invalid_claims("expecting an object when claims_format is json")
    return found


def _roles(claims: Mapping[str, Any]) -> tuple[frozenset[str], str]:
    if (allowed := claims.get(ALLOWED_ROLES)) is None:
        raise missing_role_claim(ALLOWED_ROLES)
    if not isinstance(allowed, list) or not all(isinstance(role, str) for role in allowed):
        raise invalid_claims(f"invalid {ALLOWED_ROLES}; should be a list of roles: expected an array of strings")
    allowed = [_text(ALLOWED_ROLES, role) for role in allowed]
    if (default := claims.get(DEFAULT_ROLE)) is None:
        raise missing_role_claim(DEFAULT_ROLE)
    if not isinstance(default, str):
        raise invalid_claims(f"invalid {DEFAULT_ROLE}; should be a role: expected a string")
    return frozenset(allowed), _text(DEFAULT_ROLE, default)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid_claims(f"invalid {name}; should be a string")
    if _NO_TEXT.search(value):
        raise invalid_claims(f"invalid {name}; holds a character that PostgreSQL can't hold")
    return value
