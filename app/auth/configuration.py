"""`NCHAT_JWT_SECRET`, in the JSON form of Hasura's HASURA_GRAPHQL_JWT_SECRET, read and checked at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.auth.claims_map import ClaimPath, ClaimSource, read_map, read_path
from app.auth.keys.fixed_keys import ALGORITHMS, FixedKey, KeyMaterialError, fixed_key
from app.auth.strict_json import read_json
from app.settings.errors import ConfigurationError

DEFAULT_NAMESPACE = "https://hasura.io/jwt/claims"
_KNOWN = frozenset({"type", "key", "jwk_url", "audience", "issuer", "allowed_skew", "header"}) | {
    "claims_namespace",
    "claims_namespace_path",
    "claims_format",
    "claims_map",
}


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """Where the token travels: `Authorization: Bearer …`, a cookie or a header of that (lower-case) name."""

    kind: Literal["Authorization", "Cookie", "CustomHeader"] = "Authorization"
    name: str = "authorization"


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
        """Reads the JSON of NCHAT_JWT_SECRET; raises ConfigurationError."""
        return cls._of(_json("NCHAT_JWT_SECRET", text))

    @classmethod
    def parse_list(cls, text: str) -> "tuple[JwtConfiguration, ...]":
        """Reads the JSON of NCHAT_JWT_SECRETS, one configuration an issuer; raises ConfigurationError."""
        raw = _json("NCHAT_JWT_SECRETS", text)
        if not isinstance(raw, list) or not raw:
            raise ConfigurationError("NCHAT_JWT_SECRETS is not a list with one issuer at least")
        found = []
        for number, one in enumerate(raw):
            try:
                found.append(cls._of(one))
            except ConfigurationError as error:
                raise ConfigurationError(str(error).replace("NCHAT_JWT_SECRET", f"NCHAT_JWT_SECRETS[{number}]", 1)) from None
        return tuple(found)

    @classmethod
    def _of(cls, raw: object) -> "JwtConfiguration":
        if not isinstance(raw, dict):
            raise ConfigurationError("NCHAT_JWT_SECRET can't be read: not a JSON object")
        if unknown := sorted(set(raw) - _KNOWN):
            raise ConfigurationError(f"NCHAT_JWT_SECRET has an unknown key: {unknown[0]}")
        return cls(**_keys(raw), **_claims(raw), **_checks(raw), header=_header(raw.get("header")))


def _json(setting: str, text: str) -> object:
    try:
        found: object = read_json(text)
    except ValueError as error:
        raise ConfigurationError(f"{setting} can't be read: {error}") from None
    return found


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
        return claims | {"claims_map": read_map(raw["claims_map"])}
    if "claims_namespace_path" in raw:
        return claims | {"namespace": None, "namespace_path": read_path(raw["claims_namespace_path"])}
    return claims | {"namespace": _text(raw, "claims_namespace") or DEFAULT_NAMESPACE}


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
    kinds: dict[str, Literal["Authorization", "Cookie", "CustomHeader"]] = {
        "authorization": "Authorization",
        "cookie": "Cookie",
        "customheader": "CustomHeader",
    }
    kind, name = kinds.get(str(raw.get("type")).lower()), _text(raw, "name")
    if kind is None:
        raise ConfigurationError("NCHAT_JWT_SECRET: the type of the header is none of Authorization, Cookie, CustomHeader")
    if kind == "Authorization":
        return TokenHeader()
    if not name:
        raise ConfigurationError(f"NCHAT_JWT_SECRET: a header of type {kind} needs a name")
    return TokenHeader(kind, name if kind == "Cookie" else name.lower())


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
