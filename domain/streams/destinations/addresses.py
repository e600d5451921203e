"""The form of an RTMP address and of a stream key. What all programs on the way read alike passes, and nothing else."""

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from domain.errors import InvalidInput
from domain.ports import IpAddress

LONGEST_URL: Final = 500
LONGEST_KEY: Final = 255
LONGEST_HOST: Final = 253
# LiveKit wants an application behind the host; its key comes behind both.
_URL: Final = re.compile(r"(rtmps?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?((?:/[\w.~+,;=:%-]+)+)/?", re.ASCII | re.IGNORECASE)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# A slash would make a part of the key a part of the address, which LiveKit shows to everybody.
_KEY: Final = re.compile(r"[\w.~!$&*+,;:=?@%-]+", re.ASCII)
FORM: Final = "rtmpUrl is of the form rtmp://host/app or rtmps://host:port/app, without the stream key."


@dataclass(frozen=True, slots=True)
class Target:
    """An address in its one writing. `literal` is the host where it is a number and no name."""

    url: str
    host: str
    literal: IpAddress | None


def read_url(text: str) -> Target:
    """InvalidInput for what is no RTMP address, or more than one: user names, queries and fragments belong to nobody here."""
    if len(text) > LONGEST_URL:
        raise InvalidInput(f"rtmpUrl has at most {LONGEST_URL} characters.")
    if not text.lower().startswith(("rtmp://", "rtmps://")):
        raise InvalidInput("rtmpUrl begins with rtmp:// or rtmps://.")
    if "@" in text or "?" in text or "#" in text:
        raise InvalidInput("rtmpUrl holds no user name, query or fragment.")
    found = _URL.fullmatch(text)
    if found is None:
        raise InvalidInput(FORM)
    scheme, host, port, path = found[1].lower(), found[2].lower(), found[3], found[4]
    if port is not None and not 0 < int(port) < 65536:
        raise InvalidInput(FORM)
    literal = _literal(host)
    if literal is None and not _is_name(host):
        raise InvalidInput(FORM)
    return Target(f"{scheme}://{host}{'' if port is None else f':{int(port)}'}{path}", host.strip("[]"), literal)


def require_key(key: str) -> None:
    """InvalidInput, which never quotes it, for what is no stream key."""
    if not 0 < len(key) <= LONGEST_KEY or _KEY.fullmatch(key) is None:
        raise InvalidInput(f"streamKey has 1 to {LONGEST_KEY} letters, digits and signs, and no space or slash.")


def full_url(url: str, key: str) -> str:
    """What LiveKit sends to."""
    return f"{url}/{key}"


def _literal(host: str) -> IpAddress | None:
    with suppress(ValueError):
        literal = ip_address(host.strip("[]"))
        if isinstance(literal, IPv6Address) == host.startswith("["):
            return literal
    return None


def _is_name(host: str) -> bool:
    """As DNS has them. What ends with a number some programs take for an address: 127.1, 2130706433, 0x7f.1."""
    labels = host.split(".")
    return len(host) <= LONGEST_HOST and all(map(_LABEL.fullmatch, labels)) and labels[-1][0].isalpha()
