"""A process dies while it looks at a stream, and another looks a few seconds later."""

from dataclasses import replace

import pytest

from app.database.transactions import EngineTransactions, open_engine
from domain.streams.health.asking import stream_health
from domain.streams.health.looking import EVERY, look_at_streams
from domain.streams.health.reports import report_stream_health
from domain.streams.health.verdict import FINE
from tests.streams.destinations.sent_stream import live_stream
from tests.streams.health.test_health import CAMERA, GOOD, MICROPHONE, host, room_of
from tests.support.domain_setup import ALICE, Setup, session

pytestmark = pytest.mark.anyio


class Died(Exception):
    """The process is gone in this moment."""


@pytest.mark.parametrize("name", ["stream_health.take", "stream_health.note", "report_health.write"])
@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
async def test_whatever_moment_it_dies_at(on: Setup, name: str, moment: str) -> None:
    stream_id, _ = await live_stream(on)
    on.rooms.people[await room_of(on, stream_id)] = host(CAMERA, MICROPHONE)

    def die(seen: str) -> None:
        if seen == f"{name}:{moment}":
            raise Died

    async with open_engine(on.url) as engine:
        mortal = replace(on.world, transaction=EngineTransactions(engine, on.publisher, die))
        with pytest.raises(Died):
            await look_at_streams(mortal)
            await report_stream_health(mortal, session(ALICE), stream_id, GOOD)
    on.clock.advance(EVERY.total_seconds())
    await report_stream_health(on.world, session(ALICE), stream_id, GOOD)
    assert await look_at_streams(on.world) == 1
    found = await stream_health(on.world, session(ALICE), stream_id)
    assert (found.reason, found.fps) == (FINE, 30.0)
    assert await on.database.fetchval("SELECT room_video FROM nchat_stream_health") == "sent"
