"""How many connections each address has."""

from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# One client is given a whole network of this size, so an IPv6 address says nothing about who is the same.
IPV6_PREFIX = 64


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
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return host
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self._trusted):
            return ""
        if isinstance(address, IPv6Address):
            return str(ip_network((address, IPV6_PREFIX), strict=False))
        return str(address)
