"""What stands in LiveKit's place when NCHAT_LIVEKIT_ENABLED is off: call actions answer `media-unavailable`."""

# ruff: noqa: ARG002 - a stand-in looks at nothing that it is asked

from collections.abc import Sequence

from domain.ports import Grant, JoinToken, LiveRoom, MediaRefused, Room, RoomParticipant


class NoMedia:
    """`domain.ports.Rooms` and `JoinTokens` without a media server."""

    async def create_room(self, name: str, *, max_participants: int, empty_timeout: int | None = None) -> Room:
        raise MediaRefused("media is switched off")

    async def delete_room(self, name: str) -> None:
        """There never was one."""

    async def list_rooms(self, names: Sequence[str]) -> list[Room]:
        """None: calls from a time with media are over."""
        return []

    async def all_rooms(self) -> list[LiveRoom]:
        return []

    async def list_participants(self, room: str, *, ingresses: bool = False) -> list[RoomParticipant]:
        return []

    async def remove_participant(self, room: str, identity: str) -> bool:
        return False

    async def remove_exactly(self, room: str, identity: str) -> bool:
        return False

    async def mute_track(self, room: str, identity: str, track_sid: str) -> bool:
        return False

    async def set_grant(self, room: str, identity: str, grant: Grant) -> bool:
        return False

    def sign(
        self, *, room: str, identity: str, name: str, grant: Grant, max_participants: int, empty_timeout: int | None = None
    ) -> JoinToken:
        raise MediaRefused("media is switched off")
