"""The host's connection drops: for half a minute it is waited for, and after a minute the stream is over."""

import asyncio
import time

import pytest

from tests.streams.trials.pictures import jumps, ticks_played
from tests.streams.trials.show import show
from tests.streams.trials.studio import Studio
from tests.trials.scale import WHOLE

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not WHOLE, reason="a minute or two each: make trial-streams"),
]
# Seconds until LiveKit and its workers see that a connection is gone, at the latest.
SEEN_WITHIN = 10


async def test_thirty_seconds(studio: Studio) -> None:
    studio.recorder()
    async with show(studio) as stream:
        await stream.plays(2)
        since = len(stream.events.told)
        await stream.encoder.vanish()
        since = await stream.told("host_reconnecting", since=since, seconds=SEEN_WITHIN)
        await asyncio.sleep(30)
        assert (await stream.row())["status"] == "live"
        stream.encoder.begin()
        await stream.told("host_back", since=since, seconds=30)
        await stream.plays_on(seconds=60)
        assert stream.encoder.ends == 0, "it was not let in at once"
        await stream.stops()
        (hole,) = jumps([tick for ticks in await ticks_played(stream.viewer) for tick in ticks])
        assert 25 <= hole <= 50
    assert [kind for kind in stream.kinds() if kind != "status"] == ["host_reconnecting", "host_back"]
    assert stream.viewer.interruptions == []


async def test_ninety_seconds(studio: Studio) -> None:
    studio.recorder()
    async with show(studio) as stream:
        await stream.plays(2)
        since = len(stream.events.told)
        await stream.encoder.vanish()
        await stream.told("host_reconnecting", since=since, seconds=SEEN_WITHIN)
        gone = time.monotonic()
        await stream.becomes("ending", "ended", seconds=70)
        ending = time.monotonic() - gone
        await stream.is_over(failure="host_gone")
        over = time.monotonic() - gone
        await asyncio.sleep(max(0.0, 90 - over))
        stream.encoder.begin()
        await stream.encoder.refused()
        assert (await stream.row())["status"] == "ended"
    assert 55 <= ending <= 70
    assert "host_back" not in stream.kinds()
    assert stream.viewer.said[-1] == "", "the page plays the whole"
    print(f"\nending {ending:.0f} s after viewers were told, and over after {over:.0f} s")  # noqa: T201 - for `pytest -s`
