"""Who may call what: LiveKit's bearer tokens and their grants, refused in LiveKit's words."""

from collections.abc import Mapping

import jwt
from livekit.api import TokenVerifier, VideoGrants
from livekit.api.access_token import Claims

from devstack.livekit_simulator.twirp import TwirpError

BEARER = "Bearer "


class InvalidToken(Exception):
    """The token was refused before any method saw it: 401 as plain text."""


class Keys:
    """The API keys that the simulator knows."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._verifiers = {name: TokenVerifier(name, secret) for name, secret in keys.items()}

    def grants(self, authorization: str | None) -> VideoGrants | None:
        """The grants of an `Authorization` header; None without one. Raises InvalidToken."""
        if authorization is None:
            return None
        if not authorization.startswith(BEARER):
            raise InvalidToken("invalid authorization header. Must start with Bearer ")
        return self.claims(authorization.removeprefix(BEARER)).video

    def claims(self, token: str) -> Claims:
        """A token's claims, signature, life (60 s of leeway) and key checked. Raises InvalidToken."""
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
        except jwt.PyJWTError:
            raise InvalidToken("invalid authorization token") from None
        if issuer not in self._verifiers:
            raise InvalidToken(f"invalid API key: {issuer}")
        try:
            return self._verifiers[issuer].verify(token)
        except jwt.PyJWTError as error:
            raise InvalidToken(f"invalid token, error: {error}") from None


def may_create(grants: VideoGrants | None) -> VideoGrants:
    """Needs `room_create`."""
    return need(grants, bool(grants and grants.room_create))


def may_list(grants: VideoGrants | None) -> VideoGrants:
    """Needs `room_list`."""
    return need(grants, bool(grants and grants.room_list))


def may_administer(grants: VideoGrants | None, room: str) -> VideoGrants:
    """Needs `room_admin` for exactly this room."""
    return need(grants, bool(grants and grants.room_admin and grants.room == room))


def need(grants: VideoGrants | None, granted: bool) -> VideoGrants:
    """The grants when granted. Raises TwirpError: LiveKit says 401, not 403."""
    if grants is None or not granted:
        raise TwirpError("unauthenticated", "permissions denied")
    return grants
