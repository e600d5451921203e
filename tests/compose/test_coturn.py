"""Credentials of ours on a real coturn that runs with the very turnserver.conf of the compose folder."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.adapters.encryption import Encryption
from app.adapters.turn import TurnRestCredentials
from domain.ports import IceServer
from tests.compose.coturn import CONFIGURATION, Coturn, coturn, missing_program

SECRET = "0123456789abcdef0123456789abcdef"
USER = UUID("00000000-0000-4000-8000-000000000001")
# The test's peers are on this machine, which the configuration rightly denies.
LOOPBACK = ("--allow-loopback-peers", "--allowed-peer-ip=127.0.0.1")

pytestmark = pytest.mark.skipif(missing_program() is not None, reason=f"coturn is not installed: no {missing_program()}")


class At:
    def __init__(self, offset: timedelta) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(SECRET, tmp_path_factory.mktemp("coturn"), *LOOPBACK) as running:
        yield running


def issued(secret: str = SECRET, *, offset: timedelta = timedelta()) -> IceServer:
    turn = TurnRestCredentials(urls=["turn:127.0.0.1"], secret=secret, ttl=60, clock=At(offset), encryption=Encryption(()))
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


def test_without_the_exception_the_relay_reaches_no_private_address(tmp_path: Path) -> None:
    with coturn(SECRET, tmp_path, "--allow-loopback-peers") as guarded:
        assert not relays(guarded, issued())


def test_every_private_range_is_denied() -> None:
    denied = [line.removeprefix("denied-peer-ip=") for line in CONFIGURATION.read_text().splitlines() if line.startswith("denied-peer-ip")]
    starts = {entry.split("-")[0] for entry in denied}
    assert {"10.0.0.0", "172.16.0.0", "192.168.0.0", "127.0.0.0", "169.254.0.0", "100.64.0.0", "::1", "fc00::", "fe80::"} <= starts
