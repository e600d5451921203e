"""Which addresses a stream may be sent to."""

from ipaddress import ip_address

import pytest

from domain.streams.destinations.networks import is_outside

OUTSIDE = ["93.184.216.34", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "2606:2800:220:1::7", "2a00:1450::1"]
OUTSIDE += ["64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
INSIDE = {
    "this network": ["0.0.0.0", "0.1.2.3"],  # noqa: S104
    "private": ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fc00::1", "fd12:3456::1"],
    "carriers'": ["100.64.0.1", "100.127.255.255"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "link-local": ["169.254.169.254", "fe80::1", "febf::1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "::", "100::1", "fec0::1", "4000::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "written within IPv6": ["::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:10.0.0.1"],
    "behind a translator": ["64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "64:ff9b::e000:1"],
    "in a tunnel": ["2001::1", "2002:a00:1::1", "2002:5db8:d822::1"],
}


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_world_is_outside(address: str) -> None:
    assert is_outside(ip_address(address))


@pytest.mark.parametrize("address", [address for addresses in INSIDE.values() for address in addresses])
def test_nothing_else_is(address: str) -> None:
    assert not is_outside(ip_address(address))


def test_development_may_reach_its_own_machine_and_no_other_of_them() -> None:
    allowed = {address for addresses in INSIDE.values() for address in addresses if is_outside(ip_address(address), loopback=True)}
    assert allowed == {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"}
