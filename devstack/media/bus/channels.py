"""The names of channels, and the ids on the bus."""

import secrets
import string
from typing import Final

_SAFE: Final = frozenset(string.ascii_letters + string.digits + "_")


def request(service: str, method: str, topic: str) -> str:
    """Where requests come in; a topic narrows them to one egress."""
    return _joined(service, method, topic, "REQ")


def granted(service: str, method: str, topic: str) -> str:
    """Where a client says whose claim it took."""
    return _joined(service, method, topic, "RCLAIM")


def claim(service: str, client_id: str) -> str:
    """Where servers tell a client that they would take its request."""
    return _joined(service, client_id, "CLAIM")


def response(service: str, client_id: str) -> str:
    """Where a client gets its answers."""
    return _joined(service, client_id, "RES")


def new_id(prefix: str) -> str:
    """`CLI_`, `SRV_` or `REQ_` and twelve characters."""
    return prefix + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))


def _joined(*parts: str) -> str:
    return "|".join("".join(map(_escaped, part)) for part in parts if part)


def _escaped(character: str) -> str:
    if character in _SAFE:
        return character
    return f"u+{ord(character):04x}" if ord(character) < 0x10000 else f"U+{ord(character):08x}"
