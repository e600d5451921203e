"""A JWK set (RFC 7517) as the keys that can verify a token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from app.auth.strict_json import read_object

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_FAMILIES: Final[dict[object, type[Algorithm]]] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_MEMBERS: Final = ("crv", "n", "e", "x", "y")


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """`key_id` is optional, in the set as in a token; `algorithms` are those that the key may be used with."""

    key_id: str | None
    algorithms: frozenset[str]
    key: PublicKey

    def fits(self, key_id: str | None, algorithm: str) -> bool:
        """Whether it may have signed a token with this header."""
        return algorithm in self.algorithms and (key_id is None or self.key_id in (None, key_id))


def read_keys(body: bytes) -> tuple[PublishedKey, ...]:
    """The usable keys of a set, for an issuer may publish others beside them. Raises ValueError when there are none."""
    listed = read_object(body).get("keys")
    keys = tuple(key for one in listed if (key := _read(one)) is not None) if isinstance(listed, list) else ()
    if not keys:
        raise ValueError("no key that verifies signatures")
    return keys


def _read(raw: object) -> PublishedKey | None:
    if not isinstance(raw, dict) or raw.get("use") not in (None, "sig") or not _may_verify(raw.get("key_ops")):
        return None
    key_id, algorithm = raw.get("kid"), raw.get("alg")
    key = _key(raw)
    if key is None or not isinstance(key_id, str | None) or not isinstance(algorithm, str | None):
        return None
    able = _algorithms(key)
    allowed = able if algorithm is None else able & {algorithm}
    return PublishedKey(key_id, allowed, key) if allowed else None


def _may_verify(operations: object) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _key(raw: Mapping[str, Any]) -> PublicKey | None:
    """Never a secret: whoever publishes that has no secret any more."""
    kind = raw.get("kty")
    family = _FAMILIES.get(kind) if isinstance(kind, str) else None
    if family is None or "d" in raw or not all(isinstance(raw.get(member, ""), str) for member in _MEMBERS):
        return None
    try:
        key = family.from_jwk(dict(raw))
    except (jwt.PyJWTError, ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey) else None


def _algorithms(key: PublicKey) -> frozenset[str]:
    if isinstance(key, RSAPublicKey):
        return frozenset({"RS256", "RS384", "RS512"})
    if isinstance(key, Ed25519PublicKey):
        return frozenset({"EdDSA"})
    return frozenset(name for curve, name in _CURVES.items() if curve == key.curve.name)
