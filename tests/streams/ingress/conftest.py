"""A stream that starts, made by hand, and what LiveKit says of its encoder."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.ports import IngressKind
from domain.streams.ingress.issuing import WayIn, issue, want
from domain.streams.ingress.rounds import look_at_ingresses
from domain.streams.ingress.rows import StreamIngress, wanted_ingress
from domain.streams.rows import lock_stream
from tests.support.domain_setup import ALICE, GENERAL, Setup, setup


@dataclass(slots=True)
class EncodedStream:
    """Alice's, in the channel general."""

    on: Setup
    id: UUID

    async def start(self, kind: IngressKind = "rtmp") -> WayIn:
        """It gets a way in, as startStream gives it one."""
        return await issue(self.on.world, await self.want(kind))

    async def want(self, kind: IngressKind = "rtmp") -> UUID:
        async with self.on.world.transaction("test.want") as tx:
            stream = await lock_stream(tx, self.id)
            assert stream is not None
            return await want(tx, stream, kind, self.on.clock.now())

    async def become(self, status: str) -> None:
        await self.on.database.execute("UPDATE nchat_streams SET status = $2::stream_status WHERE id = $1", self.id, status)

    async def ingress(self) -> StreamIngress | None:
        async with self.on.world.transaction("test.look") as tx:
            return await wanted_ingress(tx, self.id)

    async def publishing(self) -> bool:
        found = await self.ingress()
        return found is not None and found.publishing

    async def rows(self) -> list[asyncpg.Record]:
        """All that it ever had, the oldest first."""
        return await self.on.database.fetch("SELECT * FROM nchat_stream_ingresses WHERE stream_id = $1 ORDER BY created_at", self.id)

    async def round(self, seconds: float = 10) -> None:
        self.on.clock.advance(seconds)
        await look_at_ingresses(self.on.world)

    def says(self, status: str, **figures: int | float) -> datetime:
        """LiveKit's record of its newest encoder changes now; the moment."""
        self.on.ingests.become(self.on.ingests.last, status, self.on.clock.now(), **figures)  # type: ignore[arg-type]
        return self.on.clock.now()


@pytest.fixture
async def stream(database_url: str, anyio_backend: str) -> AsyncIterator[EncodedStream]:
    async with setup(database_url) as on:
        stream_id = uuid4()
        await on.database.execute(
            "INSERT INTO nchat_streams (id, channel_id, host_id, title, status) VALUES ($1, $2, $3, 'Concert', 'starting')",
            stream_id,
            GENERAL,
            ALICE,
        )
        yield EncodedStream(on, stream_id)
