"""`NCHAT_JWT_SECRET`, in the JSON form of Hasura's HASURA_GRAPHQL_JWT_SECRET, read and checked at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.auth import json_path
from app.auth.keys import ALGORITHMS, FixedKey, KeyMaterialError, fixed_key
from app.auth.strict_json import read_object
from app.settings.errors import ConfigurationError

DEFAULT_NAMESPACE = "https://hasura.io/jwt/claims"
_KNOWN = frozenset({"type", "key", "jwk_url", "audience", "issuer", "allowed_skew", "header"}) | {
    "claims_namespace",
    "claims_namespace_path",
    "claims_format",
    "claims_map",
}
_MANDATORY_CLAIMS = ("x-hasura-allowed-roles", "x-hasura-default-role")


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """Where the token travels: `Authorization: Bearer …`, a cookie or a header of that (lower-case) name."""

    kind: Literal["Authorization", "Cookie", "CustomHeader"] = "Authorization"
    name: str = "authorization"


@dataclass(frozen=True, slots=True)
class ClaimPath:
    """A claim that is found at a path of the token; without a default its absence refuses the token."""

    path: tuple[json_path.PathStep, ...]
    text: str
    default: Any = None
    has_default: bool = False


ClaimSource = ClaimPath | Any


@dataclass(frozen=True, slots=True)
class JwtConfiguration:
    """How tokens are verified and where their session variables stand. `allowed_skew` is in seconds."""

    algorithms: tuple[str, ...]
    key: FixedKey | None = field(default=None, repr=False)
    jwk_url: str | None = None
    namespace: str | None = DEFAULT_NAMESPACE
    namespace_path: ClaimPath | None = None
    claims_map: Mapping[str, ClaimSource] | None = None
    stringified: bool = False
    audience: tuple[str, ...] | None = None
    issuer: str | None = None
    allowed_skew: int = 0
    header: TokenHeader = TokenHeader()

    @classmethod
    def parse(cls, text: str) -> "JwtConfiguration":
        """Reads the JSON of the setting; raises ConfigurationError."""
        try:
            raw = read_object(text)
        except ValueError as error:
            raise ConfigurationError(f"NCHAT_JWT_SECRET can't be read: {error}") from None
        if unknown := sorted(set(raw) - _KNOWN):
            raise ConfigurationError(f"NCHAT_JWT_SECRET has an unknown key: {unknown[0]}")
        return cls(**_keys(raw), **_claims(raw), **_checks(raw), header=_header(raw.get("header")))


def _keys(raw: Mapping[str, Any]) -> dict[str, Any]:
    kind, key, jwk_url = raw.get("type"), raw.get("key"), raw.get("jwk_url")
    if (key is None) == (jwk_url is None):
        raise ConfigurationError("NCHAT_JWT_SECRET needs exactly one of key and jwk_url")
    if jwk_url is not None:
        if not isinstance(jwk_url, str) or not jwk_url.startswith(("https://", "http://")):
            raise ConfigurationError("NCHAT_JWT_SECRET: jwk_url is not an http(s) URL")
        algorithms = _algorithms(kind) if kind is not None else tuple(name for names in ALGORITHMS.values() for name in names)
        return {"algorithms": tuple(name for name in algorithms if not name.startswith("HS")), "jwk_url": jwk_url}
    try:
        return {"algorithms": _algorithms(kind), "key": fixed_key(str(kind), key)}
    except KeyMaterialError as error:
        raise ConfigurationError(f"NCHAT_JWT_SECRET: {error}") from None


def _algorithms(kind: object) -> tuple[str, ...]:
    if not isinstance(kind, str) or kind not in ALGORITHMS:
        raise ConfigurationError(f"NCHAT_JWT_SECRET: type is none of {', '.join(ALGORITHMS)}")
    return ALGORITHMS[kind]


def _claims(raw: Mapping[str, Any]) -> dict[str, Any]:
    if "claims_namespace" in raw and "claims_namespace_path" in raw:
        raise ConfigurationError("NCHAT_JWT_SECRET takes claims_namespace or claims_namespace_path, not both")
    claims: dict[str, Any] = {"stringified": _one_of(raw, "claims_format", ("json", "stringified_json")) == "stringified_json"}
    if "claims_map" in raw:
        return claims | {"claims_map": _claims_map(raw["claims_map"])}
    if "claims_namespace_path" in raw:
        return claims | {"namespace": None, "namespace_path": _claim_path(raw["claims_namespace_path"])}
    return claims | {"namespace": _text(raw, "claims_namespace") or DEFAULT_NAMESPACE}


def _claims_map(raw: object) -> dict[str, ClaimSource]:
    if not isinstance(raw, dict):
        raise ConfigurationError("NCHAT_JWT_SECRET: claims_map is not an object")
    sources: dict[str, ClaimSource] = {}
    for spelled, source in raw.items():
        name = spelled.lower()
        if not name.startswith("x-hasura-"):
            raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map names {spelled!r}: session variables begin with x-hasura-")
        if name in sources:
            raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map names {name} twice")
        sources[name] = _claim_source(name, source)
    for name in _MANDATORY_CLAIMS:
        if name not in sources:
            raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map lacks {name}")
    return sources


def _claim_source(name: str, raw: object) -> ClaimSource:
    if isinstance(raw, dict):
        if set(raw) - {"path", "default"} or not isinstance(raw.get("path"), str):
            raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map gives {name} neither a value nor a path with an optional default")
        return _claim_path(raw["path"], raw.get("default"), "default" in raw)
    if not (_is_list_of_text(raw) if name == _MANDATORY_CLAIMS[0] else isinstance(raw, str)):
        raise ConfigurationError(f"NCHAT_JWT_SECRET: claims_map gives {name} a value of the wrong type")
    return raw


def _is_list_of_text(raw: object) -> bool:
    return isinstance(raw, list) and all(isinstance(one, str) for one in raw)


def _claim_path(path: object, default: object = None, has_default: bool = False) -> ClaimPath:
    try:
        return ClaimPath(json_path.parse_path(str(path)), str(path), default, has_default)
    except ValueError as error:
        raise ConfigurationError(f"NCHAT_JWT_SECRET: {error}") from None


def _checks(raw: Mapping[str, Any]) -> dict[str, Any]:
    audience, skew = raw.get("audience"), raw.get("allowed_skew", 0)
    audiences = [audience] if isinstance(audience, str) else audience
    if audiences is not None and not (isinstance(audiences, list) and audiences and all(isinstance(name, str) for name in audiences)):
        raise ConfigurationError("NCHAT_JWT_SECRET: audience is neither a string nor a list of strings")
    if not isinstance(skew, int) or isinstance(skew, bool) or skew < 0:
        raise ConfigurationError("NCHAT_JWT_SECRET: allowed_skew is not a number of seconds")
    return {"audience": tuple(audiences) if audiences else None, "issuer": _text(raw, "issuer"), "allowed_skew": skew}


def _header(raw: object) -> TokenHeader:
    if raw is None:
        return TokenHeader()
    if not isinstance(raw, dict):
        raise ConfigurationError("NCHAT_JWT_SECRET: header is not an object")
    kind = _one_of(raw, "type", ("Authorization", "Cookie", "CustomHeader"))
    name = _text(raw, "name")
    if kind == "Authorization":
        return TokenHeader()
    if not name:
        raise ConfigurationError(f"NCHAT_JWT_SECRET: a header of type {kind} needs a name")
    return TokenHeader("Cookie", name) if kind == "Cookie" else TokenHeader("CustomHeader", name.lower())


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    value = raw.get(name)
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"NCHAT_JWT_SECRET: {name} is not a string")
    return value


def _one_of(raw: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = raw.get(name, choices[0])
    if value not in choices:
        raise ConfigurationError(f"NCHAT_JWT_SECRET: {name} is none of {', '.join(choices)}")
    return str(value)
