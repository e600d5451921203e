"""What was played, compared with what the encoder showed: nothing is missing within a part, and each picture stands at its time."""

import asyncio
from itertools import pairwise
from typing import Final

from tests.streams.trials.colour_clock import TICK, ticks_shown
from tests.streams.trials.viewer import Viewer

# Seconds from the encoder's picture to the recorder's, and what a tick can't tell apart.
LATENCY: Final = 4.0


async def ticks_played(viewer: Viewer) -> list[list[int]]:
    """Of each part the ticks that are seen, in order. Raises AssertionError for a first one that is older than the playlist says."""
    parts = [await asyncio.to_thread(ticks_shown, [(one.media, one.listed.began_at) for one in part]) for part in viewer.parts()]
    for part, ticks in zip(viewer.parts(), parts, strict=True):
        assert not ticks or part[0].listed.began_at - LATENCY <= (ticks[0] + 1) * TICK, "the first picture is older than its time"
    shown = [tick for ticks in parts for tick in ticks]
    assert shown == sorted(set(shown)), f"pictures come twice, or in another order: {shown}"
    return parts


async def nothing_is_missing(viewer: Viewer) -> list[list[int]]:
    """The same, and none is missing within a part."""
    parts = await ticks_played(viewer)
    for part, ticks in zip(viewer.parts(), parts, strict=True):
        last = part[-1].listed
        assert ticks, "a part of which nothing is seen"
        assert jumps(ticks) == [], f"ticks are missing within a part: {ticks} of {[one.listed for one in part]}"
        assert abs(ticks[-1] * TICK - (last.began_at + last.seconds)) <= LATENCY + TICK, "the last picture stands elsewhere"
    return parts


def jumps(ticks: list[int]) -> list[float]:
    """Seconds of each hole in them."""
    return [(after - before - 1) * TICK for before, after in pairwise(ticks) if after > before + 1]
