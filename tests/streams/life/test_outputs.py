"""A stream that starts with destinations is sent to them as soon as it is recorded, and through every recorder that follows."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from domain.errors import InvalidInput
from domain.streams.actions.start import start_new_stream, start_stream
from domain.streams.destinations.checking import OutputWanted
from domain.streams.destinations.sending import take_outputs
from domain.streams.destinations.watching import watch_outputs
from domain.streams.health.asking import stream_health
from domain.streams.planning import StreamPlan
from tests.streams.destinations.sent_stream import FULL, HOST, KEY, URL
from tests.streams.life.staged_stream import StagedStream
from tests.support.actions import api
from tests.support.domain_setup import ALICE, GENERAL, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
YOUTUBE = OutputWanted("youtube", URL, KEY)


async def sends(stream: StagedStream, *, times: int = 2) -> None:
    """The recorder is told where else to send."""
    for _ in range(times):
        for ask in await take_outputs(stream.on.world):
            await ask()


async def live(stream: StagedStream, outputs: Sequence[OutputWanted]) -> str:
    """It is live, and sent to them; its egress."""
    stream.on.hosts.known[HOST] = ["93.184.216.34"]
    await start_stream(stream.on.world, session(ALICE), stream.id, outputs=outputs)
    await stream.go_live()
    await sends(stream)
    return stream.on.recorder.last


async def test_the_recorder_sends_to_what_the_stream_starts_with(stream: StagedStream) -> None:
    egress = await live(stream, [YOUTUBE, replace(YOUTUBE, platform="custom", stream_key="another-key")])
    assert await stream.is_now() == "live"
    assert sorted(stream.on.recorder.sent_to(egress)) == sorted([FULL, f"{URL}/another-key"])


async def test_a_request_that_is_repeated_tears_nothing_away(stream: StagedStream) -> None:
    egress = await live(stream, [YOUTUBE])
    await start_stream(stream.on.world, session(ALICE), stream.id, outputs=[replace(YOUTUBE, stream_key="another-key")])
    await sends(stream)
    assert stream.on.recorder.told[egress] == [FULL]


async def test_a_bad_output_starts_nothing(on: Setup, stream: StagedStream) -> None:
    before = await dump(on.database)
    bad = [OutputWanted("youtube", "rtmp://10.0.0.1/app", KEY)]
    with pytest.raises(InvalidInput):
        await start_stream(on.world, session(ALICE), stream.id, outputs=bad)
    with pytest.raises(InvalidInput):
        await start_new_stream(on.world, session(ALICE), StreamPlan(GENERAL, "Friday", client_request_id=uuid4()), outputs=bad)
    assert await dump(on.database) == before


async def test_a_recorder_that_dies_is_followed_by_one_that_sends_there_too(stream: StagedStream) -> None:
    first, on = await live(stream, [YOUTUBE]), stream.on
    on.recorder.become(first, "failed", 500)
    on.clock.advance(5)
    await stream.turn()
    await stream.active(2)
    await sends(stream)
    assert on.recorder.last != first
    assert on.recorder.sent_to(on.recorder.last) == [FULL]


async def test_a_stream_that_has_stopped_is_sent_nowhere(stream: StagedStream) -> None:
    egress, on = await live(stream, [YOUTUBE]), stream.on
    on.clock.advance(15)
    await watch_outputs(on.world)
    assert await on.database.fetchval("SELECT status FROM nchat_stream_destinations") == "connected"
    on.recorder.become(egress, "complete")
    on.clock.advance(5)
    await on.database.execute("UPDATE nchat_streams SET status = 'ending' WHERE id = $1", stream.id)
    await stream.turn()
    await sends(stream)
    assert await on.database.fetchval("SELECT status FROM nchat_stream_destinations") == "disconnected"
    assert await on.database.fetchval("SELECT count(*) FROM nchat_stream_outputs") == 0, "no key is kept longer than its egress"


async def test_a_webhook_of_the_recorder_has_the_record_looked_at(stream: StagedStream) -> None:
    egress, on = await live(stream, [YOUTUBE]), stream.on
    on.clock.advance(15)
    await watch_outputs(on.world)
    on.recorder.output_becomes(egress, FULL, "failed")
    assert await watch_outputs(on.world) == 0, "it is not due"
    await stream.tell(egress)
    await watch_outputs(on.world)
    assert await on.database.fetchval("SELECT status FROM nchat_stream_destinations") == "error"


async def test_a_host_whose_connection_is_lost_is_told_so(stream: StagedStream) -> None:
    await live(stream, [])
    on = stream.on
    await on.database.execute("UPDATE nchat_streams SET host_gone_since = now() WHERE id = $1", stream.id)
    found = await stream_health(on.world, session(ALICE), stream.id)
    assert (found.state, found.reason) == ("bad", "The host's connection is lost.")


async def test_over_graphql(on: Setup, stream: StagedStream) -> None:
    on.hosts.known[HOST] = ["93.184.216.34"]
    query = """mutation ($input: StartStreamInput!) {
      startStream(input: $input) { stream { status destinations { platform rtmp_url status } } }
    }"""
    given = {"streamId": str(stream.id), "rtmpOutputs": [{"platform": "twitch", "rtmpUrl": URL, "streamKey": KEY}]}
    async with api(on) as client:
        body = await client.raw(session(ALICE), query, {"input": given})
        assert KEY not in body.decode()
        found = (await client.data(session(ALICE), query, {"input": given}))["startStream"]["stream"]
    assert found == {"status": "starting", "destinations": [{"platform": "twitch", "rtmp_url": URL, "status": "pending"}]}
