"""Verification keys: the algorithms a setting's `type` allows and the key material that goes with them."""

from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

# A key serves its own algorithm only: nothing an attacker writes into a token's header widens this.
ALGORITHMS: dict[str, tuple[str, ...]] = {
    "HS256": ("HS256",),
    "HS384": ("HS384",),
    "HS512": ("HS512",),
    "RS256": ("RS256",),
    "RS384": ("RS384",),
    "RS512": ("RS512",),
    "ES256": ("ES256",),
    "ES384": ("ES384",),
    "ES512": ("ES512",),
    "Ed25519": ("EdDSA",),
}

FixedKey = bytes | RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
_FAMILIES: dict[str, Any] = {"RS": RSAPublicKey, "ES": EllipticCurvePublicKey, "Ed": Ed25519PublicKey}


class KeyMaterialError(Exception):
    """The key does not fit its type; the sentence never holds the key."""


def fixed_key(kind: str, key: object) -> FixedKey:
    """The key of a setting: a shared secret as long as its hash, or a public key or certificate in PEM."""
    if not isinstance(key, str):
        raise KeyMaterialError("key is not a string")
    if kind.startswith("HS"):
        return _shared_secret(kind, key)
    return _public_key(kind, key.encode())


def _shared_secret(kind: str, key: str) -> bytes:
    secret, bits = key.encode(), int(kind[2:])
    if len(secret) * 8 < bits:
        raise KeyMaterialError(f"a key for {kind} needs at least {bits // 8} characters")
    return secret


def _public_key(kind: str, pem: bytes) -> FixedKey:
    try:
        loaded = x509.load_pem_x509_certificate(pem).public_key() if b"BEGIN CERTIFICATE" in pem else load_pem_public_key(pem)
    except ValueError:
        raise KeyMaterialError("key is neither a public key nor a certificate in PEM") from None
    if not isinstance(loaded, _FAMILIES[kind[:2]]):
        raise KeyMaterialError(f"key is not one for {kind}")
    return cast(FixedKey, loaded)
