"""What looks at all rooms of a process again and again: no hint is needed for anything to be told, and no right outlives its end."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from domain.errors import HistoryChanged
from resolvers.feeds.heads import KnownSeqs, changed_heads
from resolvers.feeds.patience import PATIENCE
from resolvers.feeds.room import FollowedRoom, now
from resolvers.feeds.rooms import FollowedRooms
from resolvers.hand_written.room_feed import RoomFeed
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import DatabaseError

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 0.5
VERIFY_EVERY: Final = 1.0
# Rooms that are read beside each other.
AT_ONCE: Final = 8


class Rounds:
    """Lives as long as the process serves."""

    def __init__(self, rooms: FollowedRooms) -> None:
        self._rooms = rooms
        self._well = 0.0

    async def keep(self) -> None:
        """Until it is cancelled."""
        self._well = now()
        while True:
            began = now()
            try:
                await self.look()
                self._well = now()
            except DatabaseError as error:
                self._give_up(error)
            except Exception:  # a fault of ours must not make all rooms deaf for ever
                log.error("rounds_failed", exc_info=True)
            await asyncio.sleep(max(0.0, began + LOOK_EVERY - now()))

    async def look(self) -> None:
        """Once. Raises DatabaseError."""
        by_feed: dict[RoomFeed, list[FollowedRoom]] = {}
        for room in self._rooms.open.values():
            if room.followers:
                by_feed.setdefault(room.feed, []).append(room)
        for feed, rooms in by_feed.items():
            await self._find_news(feed, rooms)
        due = now() - VERIFY_EVERY
        await self._rooms.verification.of_rooms([room for rooms in by_feed.values() for room in rooms if room.verified < due])

    async def _find_news(self, feed: RoomFeed, rooms: Sequence[FollowedRoom]) -> None:
        known = {room.id: KnownSeqs(room.head, room.latest) for room in rooms}
        heads = await changed_heads(self._rooms.database, self._rooms.catalog, feed, known)
        self._rooms.is_of(feed, heads.epoch)
        ahead = [room for room in rooms if self._is_ahead(room, known, heads.changed) and not room.takes_its_time]
        for start in range(0, len(ahead), AT_ONCE):
            async with asyncio.TaskGroup() as together:
                for room in ahead[start : start + AT_ONCE]:
                    together.create_task(self._rooms.try_to_look(room, heads.changed[room.id]))

    def _is_ahead(self, room: FollowedRoom, known: Mapping[str, KnownSeqs], heads: Mapping[str, int]) -> bool:
        head = heads.get(room.id)
        # Who came after the question was asked began from the present state already.
        if head is not None and head < known[room.id].latest <= room.latest:
            # Committed events are gone: an older state was restored.
            room.end_all(HistoryChanged)
        return head is not None and head > room.head

    def _give_up(self, error: DatabaseError) -> None:
        """A right that nobody can confirm holds for a while, not for ever."""
        if now() - self._well < PATIENCE:
            return
        for room in list(self._rooms.open.values()):
            room.end_all(lambda: unexpected(error))
