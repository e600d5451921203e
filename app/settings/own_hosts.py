"""The names under which this service is meant to be asked: a page that merely points its own name at our address knows none of them."""

from typing import Final
from urllib.parse import urlsplit

from app.settings.settings import Settings

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - not bound to, left out


def own_hosts(settings: Settings) -> frozenset[str]:
    """This machine for itself, the host of the public address, and the one address that is listened on."""
    listening = {settings.host} - ANY_ADDRESS
    return LOOPBACK | {host_name(urlsplit(settings.public_url).netloc)} | {f"[{one}]" if ":" in one else one.lower() for one in listening}


def host_name(host: str) -> str:
    """The name in a Host header, in lowercase and without a port; an IPv6 address keeps its brackets."""
    host = host.rpartition("@")[2].lower()
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
