"""TURN credentials by the REST scheme that coturn and LiveKit know: a user name that expires, signed with a shared secret."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.ports import Clock, IceServer

STUN_PORT: Final = 3478
TURNS_PORT: Final = 5349


def default_urls(domain: str) -> tuple[str, ...]:
    """The addresses of a coturn at `domain` with its usual ports: STUN, TURN over UDP and TCP, TURN over TLS."""
    return (
        f"stun:{domain}:{STUN_PORT}",
        f"turn:{domain}:{STUN_PORT}?transport=udp",
        f"turn:{domain}:{STUN_PORT}?transport=tcp",
        f"turns:{domain}:{TURNS_PORT}?transport=tcp",
    )


class TurnRestCredentials:
    """`domain.ports.TurnCredentials`. coturn checks the expiry when an allocation starts or refreshes, with `use-auth-secret`."""

    def __init__(self, *, urls: Sequence[str], secret: str, ttl: int, clock: Clock) -> None:
        """`urls` as browsers take them (`stun:`, `turn:`, `turns:`); none switches TURN off. `ttl` in seconds.

        Raises ValueError for TURN addresses without a secret.
        """
        self._stun = tuple(url for url in urls if url.startswith("stun"))
        self._turn = tuple(url for url in urls if not url.startswith("stun"))
        if self._turn and not secret:
            raise ValueError("TURN addresses need a TURN secret")
        self._secret = secret.encode()
        self._ttl = ttl
        self._clock = clock

    def issue(self, user_id: UUID) -> list[IceServer]:
        """STUN without, TURN with credentials for this user; an entry only for what is configured."""
        servers = [IceServer(urls=self._stun)] if self._stun else []
        if self._turn:
            username = f"{int(self._clock.now().timestamp()) + self._ttl}:{user_id}"
            servers.append(IceServer(urls=self._turn, username=username, credential=self._sign(username)))
        return servers

    def lifetime(self) -> int:
        """Seconds until the credentials of `issue` expire."""
        return self._ttl

    def _sign(self, username: str) -> str:
        # HMAC-SHA1 is the scheme's, not a choice: servers know no other.
        return b64encode(hmac.digest(self._secret, username.encode(), "sha1")).decode()
