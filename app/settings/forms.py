"""The forms that addresses, origins and keys must have: a slip of the pen is a sentence at the start, not a stack trace later."""

import binascii
import re
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr
from pydantic_settings import NoDecode

# Several hosts may stand where PostgreSQL's own clients allow them; a raw `@`, `/`, `?` or `#` of a password fits nowhere.
_POSTGRES: Final = re.compile(
    r"postgres(ql)?://([^@/?#]*@)?(HOST(,HOST)*)?(/[^@/?#]*)?(\?[^#]*)?".replace("HOST", r"(\[[^\]]+\]|[^:,@/?#\[\]]*)(:\d+)?")
)
_ORIGIN: Final = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/?#@\s]+")
_KEY_BYTES: Final = 32
_SHORTEST_LINK_SECRET: Final = 32


def _postgres(value: SecretStr) -> SecretStr:
    if _POSTGRES.fullmatch(value.get_secret_value()) is None:
        raise ValueError(
            "is not of the form postgresql://user:password@host:port/database; a password's @ : / ? # % are %40 %3A %2F %3F %23 %25"
        )
    return value


def _redis(value: SecretStr) -> SecretStr:
    if not _is_address(value.get_secret_value(), ("redis", "rediss")) and not value.get_secret_value().startswith("unix://"):
        raise ValueError("is not of the form redis://user:password@host:port/0 (rediss:// with TLS, unix:// for a socket)")
    return value


def _address(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not _is_address(value, schemes):
            raise ValueError(f"is not of the form {schemes[0]}://host:port (also {', '.join(schemes[1:])})")
        return value

    return check


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        # Asking for the port is what reads it.
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    """A browser names an origin without a slash at the end: with one, nothing would ever be equal."""
    values = tuple(value.rstrip("/") for value in values)
    if not all(_ORIGIN.fullmatch(value) for value in values):
        raise ValueError("an origin is of the form https://app.example.org, without a path, or `*` for any")
    return values


def _encryption_keys(values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not all(_decoded(value.get_secret_value()) == _KEY_BYTES for value in values):
        raise ValueError("a key is 32 bytes in URL-safe base64, as `openssl rand -base64 32 | tr +/ -_` makes one")
    return values


def _decoded(key: str) -> int | None:
    """How many bytes it stands for; None when it is no base64."""
    try:
        return len(urlsafe_b64decode(key))
    except (binascii.Error, ValueError):
        return None


def _webhook_secret(value: SecretStr) -> SecretStr:
    try:
        size = len(b64decode(value.get_secret_value().removeprefix("whsec_"), validate=True))
    except binascii.Error:
        size = 0
    if not 24 <= size <= 64:
        raise ValueError("is 24 to 64 bytes in base64, as `openssl rand -base64 32` makes one")
    return value


def _link_secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < _SHORTEST_LINK_SECRET:
        raise ValueError(f"has at least {_SHORTEST_LINK_SECRET} characters, as `openssl rand -base64 32` makes them")
    return value


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(value, strict=False)).removesuffix("/32").removesuffix("/128") for value in values)
    except ValueError as error:
        raise ValueError("a proxy is an address or a network, as 10.0.0.1 or 10.0.0.0/8") from error


PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
HttpUrl = Annotated[str, AfterValidator(_address("http", "https"))]
LiveKitUrl = Annotated[str, AfterValidator(_address("http", "https", "ws", "wss"))]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
LinkSecret = Annotated[SecretStr, AfterValidator(_link_secret)]
Words = Annotated[tuple[str, ...], NoDecode]
Origins = Annotated[Words, AfterValidator(_origins)]
Networks = Annotated[Words, AfterValidator(_networks)]
EncryptionKeys = Annotated[tuple[SecretStr, ...], NoDecode, AfterValidator(_encryption_keys)]
