"""A process that dies at a chosen point: before or after a call of a port, before or after a commit."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from domain.ports import Grant, LiveRoom, Room, RoomParticipant, Rooms

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone at this very point; nothing catches this."""


@dataclass(slots=True)
class KillPoints:
    """Notes the points that a process passes; it dies at number `at` (from 0), and never when that is None."""

    at: int | None = None
    passed: list[str] = field(default_factory=list)

    def __call__(self, point: str) -> None:
        self.passed.append(point)
        if self.at is not None and len(self.passed) > self.at:
            raise Killed(point)


@dataclass(slots=True)
class KillableRooms:
    """`domain.ports.Rooms` as one process uses them: it may die before it asks, or before it hears the answer."""

    rooms: Rooms
    point: KillPoints

    async def create_room(self, name: str, *, max_participants: int, empty_timeout: int | None = None) -> Room:
        ask = partial(self.rooms.create_room, name, max_participants=max_participants, empty_timeout=empty_timeout)
        return await self._ask("create_room", ask)

    async def delete_room(self, name: str) -> None:
        await self._ask("delete_room", partial(self.rooms.delete_room, name))

    async def list_rooms(self, names: Sequence[str]) -> list[Room]:
        return await self._ask("list_rooms", partial(self.rooms.list_rooms, names))

    async def all_rooms(self) -> list[LiveRoom]:
        return await self._ask("all_rooms", self.rooms.all_rooms)

    async def list_participants(self, room: str, *, ingresses: bool = False) -> list[RoomParticipant]:
        return await self._ask("list_participants", partial(self.rooms.list_participants, room, ingresses=ingresses))

    async def remove_participant(self, room: str, identity: str) -> bool:
        return await self._ask("remove_participant", partial(self.rooms.remove_participant, room, identity))

    async def remove_exactly(self, room: str, identity: str) -> bool:
        return await self._ask("remove_exactly", partial(self.rooms.remove_exactly, room, identity))

    async def mute_track(self, room: str, identity: str, track_sid: str) -> bool:
        return await self._ask("mute_track", partial(self.rooms.mute_track, room, identity, track_sid))

    async def set_grant(self, room: str, identity: str, grant: Grant) -> bool:
        return await self._ask("set_grant", partial(self.rooms.set_grant, room, identity, grant))

    async def _ask(self, method: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        self.point(f"rooms.{method}:before")
        answer = await ask()
        self.point(f"rooms.{method}:after")
        return answer
