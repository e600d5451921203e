"""Who is the same client, as far as addresses tell, and how many connections each has."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# A provider gives a household, or one rented server, a whole network of this size.
IPV6_PREFIX = 64


@lru_cache(maxsize=1024)
def client_of(host: str) -> str:
    """The address, of IPv6 the network; what is neither stays as it is."""
    address = _address(host)
    if address is None:
        return host
    return str(ip_network((address, IPV6_PREFIX), strict=False)) if isinstance(address, IPv6Address) else str(address)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class Addresses:
    """Counts; an address that is trusted, a proxy that many come through, is not counted."""

    def __init__(self, most: int, trusted: Iterable[str] = ()) -> None:
        self._most = most
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(network, strict=False) for network in trusted]
        self._taken: Counter[str] = Counter()

    def take(self, host: str | None) -> str | None:
        """One more of this address: the key to give back, empty for one that is not counted, or None when it has too many."""
        key = self._key(host)
        if key and self._taken[key] >= self._most:
            return None
        if key:
            self._taken[key] += 1
        return key

    def give_back(self, key: str) -> None:
        """That connection has ended."""
        if not key:
            return
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]

    def _key(self, host: str | None) -> str:
        if host is None:
            return ""
        address = _address(host)
        if address is not None and any(address in network for network in self._trusted):
            return ""
        return client_of(host)
