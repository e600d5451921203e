"""TURN credentials: the scheme's shape, and what is refused at start."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.adapters.turn import TurnRestCredentials, default_urls
from domain.ports import IceServer

USER = UUID("00000000-0000-4000-8000-000000000001")


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, 12, tzinfo=UTC)


SECRET = "shared-secret"


def turn(*urls: str, secret: str = SECRET) -> TurnRestCredentials:
    return TurnRestCredentials(urls=urls, secret=secret, ttl=3600, clock=Noon())


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
