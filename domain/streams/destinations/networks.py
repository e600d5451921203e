"""Which addresses lie outside: nobody's stream is sent to a machine of the deployment's own (IANA's special registries, RFC 6890)."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Final

from domain.ports import IpAddress

# This network, private, shared by carriers (CGNAT), loopback, link-local, protocol assignments, documentation, relays, benchmarks,
# multicast, reserved.
INSIDE_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
# What is given out to the world; everything else of IPv6 is loopback, link-local, a site's own, multicast or nobody's.
WORLD_V6: Final = IPv6Network("2000::/3")
# Of that: tunnels (Teredo, 6to4), benchmarks, documentation, segment routing.
INSIDE_V6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16")))
# An IPv4 address behind a translator (RFC 6052): it leads where that one leads.
NAT64: Final = IPv6Network("64:ff9b::/96")


def is_outside(address: IpAddress, *, loopback: bool = False) -> bool:
    """Whether it is an address of the world's. With `loopback` this machine's own count as well."""
    if loopback and address.is_loopback:
        return True
    if isinstance(address, IPv4Address):
        return not any(address in network for network in INSIDE_V4)
    within = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None)
    if within is not None:
        return is_outside(within, loopback=loopback)
    return address in WORLD_V6 and not any(address in network for network in INSIDE_V6)
