"""The recorder of a live stream is killed, and another is there 2 s later: whoever watches sees the stream go on by itself.

20 deaths by `make trial-streams`, one among all the other tests.
"""

import asyncio
import random
import time

import pytest

from tests.streams.trials.colour_clock import TICK
from tests.streams.trials.pictures import LATENCY, nothing_is_missing
from tests.streams.trials.show import show
from tests.streams.trials.studio import Studio
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

DEATHS = 20 if WHOLE else 1
SEGMENT, LATEST = 4, 25
# From the request for the next part until its first segment was played: it joins, fills a segment, uploads it, and players look again.
BEGINS_WITHIN = 20


@pytest.mark.parametrize("death", range(DEATHS))
async def test_viewers_play_on_by_themselves(studio: Studio, death: int) -> None:
    chance = random.SystemRandom()
    recorder = studio.recorder()
    async with show(studio) as stream:
        await stream.plays(2)
        await asyncio.sleep(chance.uniform(0, SEGMENT))
        (dead,) = await stream.parts()
        stream.lost_egresses.add(dead["egress_id"])
        recorder.kill()
        died_at = time.time()
        await asyncio.sleep(2)
        studio.recorder()
        await stream.plays(2, part=1, seconds=LATEST + 2 * BEGINS_WITHIN)
        assert (await stream.row())["status"] == "live"
        await stream.stops()
        assert [part["end_reason"] for part in await stream.parts()] == ["lost", "stopped"]
        asked_after = (await stream.parts())[1]["asked_at"].timestamp() - died_at
        played_after = stream.viewer.parts()[1][0].came_at - died_at
        before, after = await nothing_is_missing(stream.viewer)
    assert asked_after <= LATEST
    assert played_after <= asked_after + BEGINS_WITHIN
    assert before[-1] * TICK >= died_at - 2 * SEGMENT - LATENCY
    assert after[0] * TICK <= died_at + asked_after + BEGINS_WITHIN
    assert stream.viewer.interruptions == []
    assert "host_reconnecting" not in stream.kinds()
    figures = f"the next part was asked for after {asked_after:.1f} s and seen after {played_after:.1f} s"
    print(f"\n{figures}; {(after[0] - before[-1]) * TICK:.0f} s of pictures are missing")  # noqa: T201 - for `pytest -s`
