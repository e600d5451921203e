"""TURN credentials: the scheme's shape, and what is refused at start."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from app.adapters.encryption import Encryption, NoKey, Undecryptable
from app.adapters.turn import TurnRestCredentials, default_urls
from domain.ports import IceServer

USER = UUID("00000000-0000-4000-8000-000000000001")
KEYS = Encryption([Fernet.generate_key().decode()])


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, 12, tzinfo=UTC)


SECRET = "shared-secret"


def turn(*urls: str, secret: str = SECRET) -> TurnRestCredentials:
    return TurnRestCredentials(urls=urls, secret=secret, ttl=3600, clock=Noon(), encryption=KEYS)


def test_stun_goes_without_and_turn_with_credentials_that_expire() -> None:
    servers = turn(*default_urls("turn.example.org")).issue(USER)
    username = f"{int(Noon().now().timestamp()) + 3600}:{USER}"
    credential = b64encode(hmac.digest(SECRET.encode(), username.encode(), "sha1")).decode()
    assert servers == [
        IceServer(urls=("stun:turn.example.org:3478",)),
        IceServer(
            urls=(
                "turn:turn.example.org:3478?transport=udp",
                "turn:turn.example.org:3478?transport=tcp",
                "turns:turn.example.org:5349?transport=tcp",
            ),
            username=username,
            credential=credential,
        ),
    ]
    assert turn("turn:h").lifetime() == 3600


def test_only_what_is_configured() -> None:
    assert turn().issue(USER) == []
    assert turn("stun:h:3478", secret="").issue(USER) == [IceServer(urls=("stun:h:3478",))]


def test_turn_without_a_secret_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="need a TURN secret"):
        turn("turn:h:3478", secret="")


def test_a_stored_credential_is_revealed() -> None:
    assert turn().reveal(KEYS.encrypt("password of the row")) == "password of the row"


def test_a_stored_credential_of_an_unknown_key_is_not() -> None:
    stored = Encryption([Fernet.generate_key().decode()]).encrypt("password of the row")
    with pytest.raises(Undecryptable) as error:
        turn().reveal(stored)
    assert stored not in str(error.value)


def test_the_first_key_writes_and_all_read() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    stored = Encryption([old]).encrypt("secret")
    both = Encryption([new, old])
    assert both.decrypt(stored) == "secret"
    rotated = both.rotate(stored)
    assert Encryption([new]).decrypt(rotated) == "secret"
    with pytest.raises(Undecryptable):
        Encryption([old]).decrypt(rotated)
    with pytest.raises(Undecryptable):
        Encryption([new]).rotate(stored)


def test_the_same_secret_never_looks_the_same_and_fits_its_column() -> None:
    assert KEYS.encrypt("secret") != KEYS.encrypt("secret")
    assert len(KEYS.encrypt("x" * 256)) <= 500


def test_a_changed_value_is_not_read() -> None:
    stored = KEYS.encrypt("secret")
    with pytest.raises(Undecryptable):
        KEYS.decrypt(stored[:-6] + "AAAAA=")


def test_keys_are_checked_at_start_and_missed_when_needed() -> None:
    with pytest.raises(ValueError, match="32 bytes") as error:
        Encryption(["not-a-key"])
    assert "not-a-key" not in str(error.value)
    with pytest.raises(NoKey):
        Encryption(()).encrypt("secret")
