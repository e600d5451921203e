"""A locked stream that hears the events of its room."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.calls.repairs import Repair
from domain.streams.rows import Stream, lock_free_streams, lock_stream
from domain.webhooks.departures import Departures
from domain.webhooks.streams.events import StreamWebhook, apply
from domain.webhooks.webhook_event import ReceivedEvent
from domain.world import Transaction


@dataclass(slots=True)
class StreamInHand:
    stream: Stream
    stale: bool = False

    @property
    def id(self) -> UUID:
        return self.stream.id

    @property
    def room_name(self) -> str:
        return self.stream.room_name

    async def look_again(self, tx: Transaction) -> None:
        """As it stands now."""
        if self.stale:
            self.stream = await lock_stream(tx, self.stream.id) or self.stream
            self.stale = False

    async def hear(self, tx: Transaction, event: ReceivedEvent, now: datetime, told: Departures) -> Sequence[Repair]:
        """By what each kind of event means for a stream."""
        return await apply(StreamWebhook(tx, event, self.stream, now, told))


async def take_streams(tx: Transaction, stream_ids: Sequence[UUID]) -> list[StreamInHand]:
    """Those of the streams that nobody holds."""
    return [StreamInHand(stream) for stream in await lock_free_streams(tx, stream_ids)]
