"""How long a room stays and how many it takes: said at CreateRoom and again in every token."""

from dataclasses import dataclass, replace
from typing import Final

from livekit import api

# A participant whose connection is gone, or somebody's second device, must never meet LiveKit's own limit, which answers a bare 500.
SPARE_PLACES: Final = 10


@dataclass(frozen=True, slots=True)
class RoomTimeouts:
    """Seconds a room stays open: `empty` while nobody has ever joined, `departure` after the last person left.

    `departure` outlasts the minute that a disconnected participant has to come back.
    """

    empty: int = 300
    departure: int = 90

    def of(self, empty: int | None) -> "RoomTimeouts":
        """The same where a room stays for another time without anybody."""
        return self if empty is None else replace(self, empty=empty)


def create_request(name: str, timeouts: RoomTimeouts, max_participants: int) -> api.CreateRoomRequest:
    """CreateRoom for `max_participants` people; 0 is any number."""
    return api.CreateRoomRequest(
        name=name,
        empty_timeout=timeouts.empty,
        departure_timeout=timeouts.departure,
        max_participants=places(max_participants),
    )


def token_configuration(timeouts: RoomTimeouts, max_participants: int) -> api.RoomConfiguration:
    """The same for a token: a client that comes back after LiveKit restarted brings its room's settings with it.

    Clients read their token, so nothing secret may stand here.
    """
    return api.RoomConfiguration(
        empty_timeout=timeouts.empty,
        departure_timeout=timeouts.departure,
        max_participants=places(max_participants),
    )


def places(max_participants: int) -> int:
    """As many as LiveKit is told, for which 0 has no limit either."""
    return max_participants and max_participants + SPARE_PLACES
