"""`claims_map` of a JWT setting: where in a token each session variable stands, or which value it always has."""

from dataclasses import dataclass
from typing import Any, Final

from app.auth import json_path
from app.settings.errors import ConfigurationError

ALLOWED_ROLES: Final = "x-hasura-allowed-roles"
DEFAULT_ROLE: Final = "x-hasura-default-role"


@dataclass(frozen=True, slots=True)
class ClaimPath:
    """A claim that is found at a path of the token; without a default its absence refuses the token."""

    path: tuple[json_path.PathStep, ...]
    text: str
    default: Any = None


ClaimSource = ClaimPath | Any


def read_map(raw: object) -> dict[str, ClaimSource]:
    """The sources of all claims by their lower-case names; raises ConfigurationError."""
    if not isinstance(raw, dict):
        raise ConfigurationError("NCHAT_JWT_SECRET: claims_map is not an object")
    sources: dict[str, ClaimSource] = {}
    for spelled, source in raw.items():
        name = spelled.lower()
        if not name.startswith("x-hasura-"):
            raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map names {spelled!r}: session variables begin with x-hasura-")
        if name in sources:
            raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map names {name} twice")
        sources[name] = _source(name, source)
    for name in (ALLOWED_ROLES, DEFAULT_ROLE):
        if name not in sources:
            raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map lacks {name}")
    return sources


def read_path(path: object, default: object = None) -> ClaimPath:
    """A JSON path of the settings; raises ConfigurationError."""
    if not isinstance(path, str):
        raise ConfigurationError("NCHAT_JWT_SECRET: a path of claims is not a string")
    try:
        return ClaimPath(json_path.parse_path(path), path, default)
    except ValueError as error:
        raise ConfigurationError(f"NCHAT_JWT_SECRET: {error}") from None


def _source(name: str, raw: object) -> ClaimSource:
    if isinstance(raw, dict):
        if set(raw) - {"path", "default"} or not isinstance(raw.get("path"), str):
            raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map gives {name} neither a value nor a path with an optional default")
        if raw.get("default") is not None:
            _check(name, raw["default"])
        return read_path(raw["path"], raw.get("default"))
    _check(name, raw)
    return raw


def _check(name: str, value: object) -> None:
    """Roles are a list of texts, everything else is a text: a slip is told at the start, not to every caller."""
    is_right = isinstance(value, list) and all(isinstance(one, str) for one in value) if name == ALLOWED_ROLES else isinstance(value, str)
    if not is_right:
        raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map gives {name} a value of the wrong type")
