"""Credentials of ours on a real coturn that runs with the very turnserver.conf of the compose folder."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from uuid import UUID

import pytest

from app.adapters.turn import TurnRestCredentials
from domain.ports import IceServer
from tests.compose.coturn import CONFIGURATION, Coturn, coturn, missing_program

SECRET = "0123456789abcdef0123456789abcdef"
USER = UUID("00000000-0000-4000-8000-000000000001")
# The test's peers are on this machine, which the configuration rightly denies.
LOOPBACK = "--allow-loopback-peers"

# IANA's registries of special addresses, and how IPv6 says an IPv4 one.
NOT_PUBLIC = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]

pytestmark = pytest.mark.skipif(missing_program() is not None, reason=f"coturn is not installed: no {missing_program()}")


class At:
    def __init__(self, offset: timedelta) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(SECRET, tmp_path_factory.mktemp("coturn"), LOOPBACK) as running:
        yield running


def issued(secret: str = SECRET, *, offset: timedelta = timedelta()) -> IceServer:
    turn = TurnRestCredentials(urls=["turn:127.0.0.1"], secret=secret, ttl=60, clock=At(offset))
    return turn.issue(USER)[0]


def relays(server: Coturn, given: IceServer, *, tcp: bool = False) -> bool:
    assert given.username and given.credential
    return server.relays(given.username, given.credential, tcp=tcp)


def test_it_starts_and_answers_its_health_check(server: Coturn) -> None:
    assert server.answers_stun()


@pytest.mark.parametrize("tcp", [False, True])
def test_a_credential_relays(server: Coturn, tcp: bool) -> None:
    assert relays(server, issued(), tcp=tcp)


def test_another_secret_does_not(server: Coturn) -> None:
    assert not relays(server, issued(SECRET[::-1]))


def test_an_expired_credential_does_not(server: Coturn) -> None:
    assert not relays(server, issued(offset=timedelta(hours=-1)))


def test_no_connection_is_made_for_a_client(server: Coturn) -> None:
    given = issued()
    assert given.username and given.credential
    assert not server.relays(given.username, given.credential, tcp=True, tcp_peers=True)


def test_its_secret_stands_in_no_list_of_processes(server: Coturn) -> None:
    assert "turnserver" in server.arguments() and SECRET not in server.arguments()


def test_without_the_exception_the_relay_reaches_no_private_address(tmp_path: Path) -> None:
    with coturn(SECRET, tmp_path, LOOPBACK, without="allowed-peer-ip") as guarded:
        assert not relays(guarded, issued())


def denied() -> list[tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]]:
    lines = CONFIGURATION.read_text().splitlines()
    ranges = [line.removeprefix("denied-peer-ip=").split("-") for line in lines if line.startswith("denied-peer-ip=")]
    return [(ip_address(first), ip_address(last)) for first, last in ranges]


@pytest.mark.parametrize("network", NOT_PUBLIC)
def test_every_range_that_is_not_public_is_denied(network: str) -> None:
    whole = ip_network(network)
    first, last = whole[0], whole[-1]
    assert any(low.version == first.version and low <= first and last <= high for low, high in denied())  # type: ignore[operator]
