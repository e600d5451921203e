"""What a LiveKit access token says, whoever signed it last: we sign the first, LiveKit a refresh token for every joiner, with one key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import jwt

from app.livekit.presented_token import NotAdmitted
from app.livekit.protocol import AUDIENCE
from domain.admission import Entrance
from domain.streams.viewers.entering import viewer_id

# Seconds that LiveKit itself allows between its clock and ours.
LEEWAY: Final = 60
# What a person's token may hold. Everything else (an administrator's right, a recorder, an agent's) belongs to programs, which reach
# LiveKit inside the network.
PERSONAL_GRANTS: Final = frozenset(
    {"roomJoin", "room", "canPublish", "canPublishSources", "canSubscribe", "canPublishData", "canUpdateOwnMetadata", "canSubscribeMetrics"}
)
PROGRAMS_CLAIMS: Final = ("sip", "agent", "inference", "observability", "sha256")


@dataclass(frozen=True, slots=True)
class Holder:
    """What the token of somebody may say: these grants at most, and one of these kinds of participant."""

    grants: frozenset[str]
    kinds: tuple[str | None, ...]


PERSON: Final = Holder(PERSONAL_GRANTS, (None, "", "standard"))
# LiveKit's refresh tokens keep the kind.
VIEWER: Final = Holder(PERSONAL_GRANTS | {"hidden"}, (AUDIENCE,))


class AccessTokens:
    """Reads the tokens of one API key."""

    def __init__(self, api_key: str, api_secret: str) -> None:
        self._api_key = api_key
        self._api_secret = api_secret

    def entrance(self, token: str) -> Entrance:
        """Whom the token lets into which room. Raises NotAdmitted for one that is forged, expired, or not a person's."""
        try:
            claims = jwt.decode(
                token,
                self._api_secret,
                algorithms=["HS256"],
                issuer=self._api_key,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError, OverflowError) as error:
            raise NotAdmitted(type(error).__name__) from None
        identity = identity_of(claims)
        return Entrance(room_of(claims, VIEWER if viewer_id(identity) else PERSON), identity)


def room_of(claims: Mapping[str, Any], holder: Holder = PERSON) -> str:
    """The room that the token may join, if that is all it may."""
    grants = claims.get("video")
    if not isinstance(grants, dict) or grants.get("roomJoin") is not True:
        raise NotAdmitted("no right to join")
    if claims.get("kind") not in holder.kinds or any(claims.get(name) for name in PROGRAMS_CLAIMS):
        raise NotAdmitted("a program's token")
    if any(value for name, value in grants.items() if name not in holder.grants):
        raise NotAdmitted("rights beyond the holder's")
    room = grants.get("room")
    # PostgreSQL has no NUL in a text.
    if not isinstance(room, str) or not room or "\0" in room:
        raise NotAdmitted("no room")
    return room


def identity_of(claims: Mapping[str, Any]) -> str:
    """The person, whose identity in a room is the user's id in its one canonical spelling, or the viewer's session."""
    identity = claims["sub"]
    if isinstance(identity, str) and viewer_id(identity) is not None:
        return identity
    try:
        user_id = UUID(identity)
    except (ValueError, AttributeError, TypeError):
        raise NotAdmitted("no person") from None
    if str(user_id) != identity:
        raise NotAdmitted("no person")
    return str(user_id)
