"""The rooms of a process with what looks at all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from permissions.rules import RoleRules
from resolvers.feeds.rooms import FollowedRooms, Hints
from resolvers.feeds.rounds import Rounds
from resolvers.sql.database import Database
from schema.model import Catalog


@asynccontextmanager
async def open_rooms(database: Database, catalog: Catalog, rules: Callable[[str], RoleRules], hints: Hints) -> AsyncIterator[FollowedRooms]:
    """Until the block ends."""
    rooms = FollowedRooms(database, catalog, rules, hints)
    rounds = asyncio.create_task(Rounds(rooms).keep(), name="rounds")
    try:
        yield rooms
    finally:
        tasks = [rounds, *(room.keeping for room in rooms.open.values() if room.keeping is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
