"""What lies in the bucket of recordings, asked by its owner."""

import asyncio
from uuid import UUID

from app.settings import Settings
from app.storage.recording_bucket import store_address
from app.storage.s3_store import open_store
from devstack.demo.watching import watch
from domain.recordings.names import recording_prefix

MEDIA = (".ts", ".mp4", ".ogg")


class RecordedObjects:
    """`settings` are those of the running service."""

    def __init__(self, settings: Settings) -> None:
        self._address = store_address(settings)

    async def names(self, recording_id: str) -> list[str]:
        """The keys of everything that is stored of a recording."""
        async with open_store(self._address) as store:
            return [one.key for one in await store.list(recording_prefix(UUID(recording_id)))]

    async def tones(self, recording_id: str) -> set[int]:
        """What is heard anywhere in any of them."""
        heard: set[int] = set()
        async with open_store(self._address) as store:
            for key in await self.names(recording_id):
                if key.endswith(MEDIA):
                    heard |= await asyncio.to_thread(_tones, await store.read(key) or b"")
        return heard


def _tones(media: bytes) -> set[int]:
    watched = watch(media)
    return set().union(*(watched.tones(window) for window in range(int(watched.seconds * 2))))
