"""An encoder that shows the time: a colour of its own for every two seconds, and the seconds that a picture shows."""

import asyncio
import io
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import av

from devstack.demo_stream.colours import NAMES, name_of
from devstack.demo_stream.encoder import Encoder

# Seconds that a colour stands.
TICK: Final = 2.0
# Black is what shows before there is anything to show.
COLOURS: Final = NAMES[1:]
# Frames that must agree: between two colours there may be a mixture.
AGREEING: Final = 3


async def tell_the_time(encoder: Encoder) -> None:
    """Until it is cancelled, or the encoder takes no picture any more."""
    while True:
        tick = int(time.time() / TICK)
        await encoder.show(colour_of(tick))
        await asyncio.sleep((tick + 1) * TICK - time.time())


def colour_of(tick: int) -> str:
    return COLOURS[tick % len(COLOURS)]


def ticks_shown(segments: Sequence[tuple[bytes, float]]) -> list[int]:
    """The ticks that are seen in segments (their media, and the unix time of their first frame), in order, each once.

    A colour means the nearest of its ticks, and colours come again after 14 s: whoever asks has times that are right within 7. One that
    stands on is no other tick.
    """
    seen, last = list[int](), ""
    for media, began_at in segments:
        for at, colour in _colours(media):
            before, last = last, colour
            if colour == before or colour not in COLOURS:
                continue
            now = (began_at + at) / TICK
            tick = round((now - COLOURS.index(colour)) / len(COLOURS)) * len(COLOURS) + COLOURS.index(colour)
            seen.append(tick)
    return seen


def _colours(media: bytes) -> Iterator[tuple[float, str]]:
    """The colour that several frames agree on, with the seconds from the first frame of the media."""
    first: float | None = None
    same, last = 0, ""
    box: Any
    with av.open(io.BytesIO(media), "r") as box:
        for frame in box.decode(video=0):
            first = frame.time if first is None else first
            colour = name_of(frame.to_ndarray(format="rgb24")[frame.height // 2, frame.width // 2])
            same, last = (same + 1, last) if colour == last else (1, colour)
            if same == AGREEING:
                yield frame.time - first, colour
