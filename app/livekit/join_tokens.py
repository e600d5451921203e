"""Join tokens: signed here, one room, one identity, a short life, never an administrator's right."""

from datetime import UTC, datetime, timedelta
from typing import Final

from livekit import api

from app.livekit.protocol import AUDIENCE, video_grants
from app.livekit.room_settings import RoomTimeouts, token_configuration
from domain.ports import Clock, Grant, JoinToken

# LiveKit refuses a longer participant name; bytes of UTF-8.
NAME_LIMIT: Final = 256


class LiveKitJoinTokens:
    """`domain.ports.JoinTokens`: LiveKit looks at a token when its holder connects, and can't take it back before it expires."""

    def __init__(self, api_key: str, api_secret: str, *, ttl: int, clock: Clock, timeouts: RoomTimeouts | None = None) -> None:
        """`ttl` in seconds."""
        self._api_key = api_key
        self._api_secret = api_secret
        self._ttl = timedelta(seconds=ttl)
        self._clock = clock
        self._timeouts = timeouts or RoomTimeouts()

    def sign(
        self, *, room: str, identity: str, name: str, grant: Grant, max_participants: int, empty_timeout: int | None = None
    ) -> JoinToken:
        """A token to join `room` as `identity` with exactly the rights of `grant`, and when it expires (whole seconds)."""
        expires_at = (self._clock.now() + self._ttl).replace(microsecond=0)
        signer = (
            api.AccessToken(self._api_key, self._api_secret)
            .with_identity(identity)
            .with_name(shortened(name))
            # The SDK adds this to its own now; so the token expires at the very second that we say.
            .with_ttl(expires_at - datetime.now(UTC))
            .with_grants(video_grants(grant, room))
            .with_room_config(token_configuration(self._timeouts.of(empty_timeout), max_participants))
        )
        if grant.audience:
            signer = signer.with_kind(AUDIENCE)
        return JoinToken(token=signer.to_jwt(), expires_at=expires_at)


def shortened(name: str) -> str:
    """The name cut to LiveKit's limit, never inside a character."""
    return name.encode()[:NAME_LIMIT].decode(errors="ignore")
