"""From a verified token's claims to session variables, as Hasura reads them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.auth import json_path
from app.auth.claims_map import ALLOWED_ROLES, DEFAULT_ROLE, ClaimPath
from app.auth.configuration import JwtConfiguration
from app.auth.refusals import access_denied, invalid_claims, missing_role_claim, not_read
from app.auth.strict_json import read_object

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
ROLE = "x-hasura-role"
_OF_ROLES = frozenset({ALLOWED_ROLES, DEFAULT_ROLE, ROLE})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token grants: the roles its bearer may take and the session variables that go with each."""

    allowed_roles: frozenset[str]
    default_role: str
    variables: Mapping[str, str]

    def role(self, requested: str | None) -> str:
        """The role of one request (`X-Hasura-Role`, else the default); raises access-denied."""
        role = requested or self.default_role
        if role not in self.allowed_roles:
            raise access_denied("Your requested role is not in allowed roles")
        return role


def read(configuration: JwtConfiguration, token: Mapping[str, Any]) -> Claims:
    """Finds and checks the Hasura claims of a verified token; raises GraphQLRefusal."""
    found = _from_map(configuration.claims_map, token) if configuration.claims_map is not None else _from_namespace(configuration, token)
    claims = _each_once(found)
    # Hasura's words differ with where the role was found.
    allowed, default = _roles(claims, "a single role name" if configuration.claims_map is None else "a role")
    variables = {
        name: _text("x-hasura-* claims", name, value) for name, value in claims.items() if name not in (ALLOWED_ROLES, DEFAULT_ROLE, ROLE)
    }
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
    return {name: _at(name, source, token) if isinstance(source, ClaimPath) else source for name, source in sources.items()}


def _at(name: str, source: ClaimPath, token: Mapping[str, Any]) -> Any:
    try:
        return json_path.look_up(token, source.path)
    except LookupError:
        if source.default is not None:
            return source.default
        if name in (ALLOWED_ROLES, DEFAULT_ROLE):
            raise missing_role_claim(name) from None
        raise invalid_claims(f"JWT claim from claims_map, {name} not found") from None


def _from_namespace(configuration: JwtConfiguration, token: Mapping[str, Any]) -> Mapping[str, Any]:
    if configuration.namespace_path is not None:
        missing = f"claims not found at claims_namespace_path: '{configuration.namespace_path.text}'"
        place, path = f"claims_namespace_path {configuration.namespace_path.text}", configuration.namespace_path.path
    else:
        missing = f"claims key: '{configuration.namespace}' not found"
        place, path = f"claims_namespace {configuration.namespace}", (str(configuration.namespace),)
    try:
        found = json_path.look_up(token, path)
    except LookupError:
        raise invalid_claims(missing) from None
    return _object(found, place if configuration.stringified else None)


def _object(found: object, place: str | None) -> Mapping[str, Any]:
    """The claims themselves; `place` says where a text stands that holds them."""
    if place is None:
        if not isinstance(found, dict):
            raise invalid_claims("expecting a json object when claims_format is json")
        return found
    if not isinstance(found, str):
        raise invalid_claims("expecting a string when claims_format is stringified_json")
    try:
        return read_object(found)
    except ValueError:
        raise invalid_claims(f"expecting stringified json at: '{place}', but found: {found}") from None


def _roles(claims: Mapping[str, Any], default_is: str) -> tuple[frozenset[str], str]:
    if ALLOWED_ROLES not in claims:
        raise missing_role_claim(ALLOWED_ROLES)
    hint, allowed = f"invalid {ALLOWED_ROLES}; should be a list of roles", claims[ALLOWED_ROLES]
    if not isinstance(allowed, list):
        raise not_read(hint, "[]", "Array", allowed)
    roles = frozenset(_role(hint, ALLOWED_ROLES, role) for role in allowed)
    if DEFAULT_ROLE not in claims:
        raise missing_role_claim(DEFAULT_ROLE)
    return roles, _role(f"invalid {DEFAULT_ROLE}; should be {default_is}", DEFAULT_ROLE, claims[DEFAULT_ROLE])


def _role(hint: str, name: str, value: object) -> str:
    role = _text(hint, name, value)
    if not role:
        raise invalid_claims(f"{hint}: empty string not allowed")
    return role


def _text(hint: str, name: str, value: object) -> str:
    if not isinstance(value, str):
        raise not_read(hint, "Text", "String", value)
    if _NO_TEXT.search(value):
        raise invalid_claims(f"invalid {name}; holds a character that PostgreSQL can't hold")
    return value
