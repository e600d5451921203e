"""What is heard and seen in a recorded file, half a second after half a second."""

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import av
import numpy as np

from devstack.demo.watching import RATE, Watched, share

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
# Of a picture: one of four tiles fills a quarter of it.
SEEN = 0.15
SMALL = (160, 90)


@dataclass(frozen=True, slots=True)
class Moments:
    """`codecs` in the order of the streams, `size` of the picture, None for sound alone; `heard` (Hz) and `seen` each half second."""

    codecs: Sequence[str]
    size: tuple[int, int] | None
    heard: Sequence[frozenset[int]]
    seen: Sequence[frozenset[str]]


def moments(file: bytes) -> Moments:
    """Decodes all of it, and keeps little: a second of large pictures is 100 MB."""
    samples: list[np.ndarray] = [np.zeros(0)]
    seen: dict[int, frozenset[str]] = {}
    box: Any
    with av.open(io.BytesIO(file), "r") as box:
        resampler: Any = av.AudioResampler("s16", "mono", RATE)
        for frame in box.decode(*box.streams):
            if not isinstance(frame, av.VideoFrame):
                samples.extend(part.to_ndarray().ravel() for part in resampler.resample(frame))
            elif (half := int(frame.time * 2)) not in seen:
                seen[half] = _colours(frame)
        codecs = [stream.codec_context.name for stream in box.streams]
        size = next(((one.codec_context.width, one.codec_context.height) for one in box.streams.video), None)
    sound = Watched(np.concatenate(samples), [], codecs)
    heard = [frozenset(sound.tones(window)) for window in range(int(sound.seconds * 2))]
    return Moments(codecs, size, heard, [seen[half] for half in sorted(seen)])


def order(found: Sequence[Collection[Any]]) -> list[Collection[Any]]:
    """What followed what, each once."""
    return [one for one, _ in groupby(found)]


def _colours(frame: Any) -> frozenset[str]:
    width, height = SMALL
    small = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return frozenset(name for name, colour in COLOURS.items() if share(small, colour) > SEEN)
