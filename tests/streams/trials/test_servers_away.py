"""LiveKit, or the store, is away for a while in the middle of a stream: it goes on by itself, and viewers are told in words."""

import asyncio

import pytest

from tests.streams.trials.pictures import jumps, nothing_is_missing, ticks_played
from tests.streams.trials.show import show
from tests.streams.trials.studio import Studio
from tests.streams.trials.viewer import INTERRUPTED
from tests.trials.scale import WHOLE

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not WHOLE, reason="a minute or two each: make trial-streams"),
]
OUTAGE = 20


@pytest.mark.parametrize("outage", [3, 25])
async def test_livekit_crashes_and_comes_back(studio: Studio, outage: int) -> None:
    studio.recorder()
    async with show(studio) as stream:
        await stream.plays(2)
        stream.lost_egresses |= {part["egress_id"] for part in await stream.parts()}
        studio.livekit.stop()
        await asyncio.sleep(outage)
        studio.livekit_comes_back()
        await stream.plays_on(seconds=90)
        row = await stream.row()
        assert (row["status"], row["waits"]) == ("live", False)
        await stream.stops()
        parts = await ticks_played(stream.viewer)
    told = [kind for kind in stream.kinds() if kind != "status"]
    assert told in ([], ["host_reconnecting", "host_back"])
    holes = jumps([tick for ticks in parts for tick in ticks])
    print(f"\nLiveKit away for {outage} s: {told}, {len(parts)} parts, seconds that are missing: {holes}")  # noqa: T201 - for `pytest -s`


async def test_the_store_is_away_for_twenty_seconds(studio: Studio) -> None:
    studio.recorder()
    async with show(studio) as stream:
        await stream.plays(2)
        studio.store.stop()
        await asyncio.sleep(OUTAGE)
        said = list(stream.viewer.said)
        studio.store.start_again()
        await stream.plays_on(seconds=90)
        assert (await stream.row())["status"] == "live"
        await stream.stops()
        await nothing_is_missing(stream.viewer)
    assert set(said) <= {"", "The stream begins in a moment.", INTERRUPTED}
    assert stream.viewer.said[-1] == ""
    assert "host_reconnecting" not in stream.kinds(), "nobody who sends has to do with the store"
