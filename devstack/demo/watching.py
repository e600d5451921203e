"""What is to be heard and seen in a recorded object, found by a decoder and a Fourier transform."""

import io
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

RATE = 48_000
WINDOW = RATE // 2
# Of the loudest tone's energy: what is less is an overtone or noise.
AUDIBLE = 0.1


@dataclass
class Watched:
    """`samples` of the left ear, `frames` as RGB pictures, `codecs` in the order of the streams."""

    samples: np.ndarray
    frames: list[np.ndarray]
    codecs: list[str]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    def tones(self, window: int) -> set[int]:
        """Those of 440, 660 and 880 Hz that sound in this half second; negative numbers count from the end."""
        begin = window * WINDOW if window >= 0 else len(self.samples) + window * WINDOW
        part = self.samples[begin : begin + WINDOW] * np.hanning(WINDOW)
        power = np.abs(np.fft.rfft(part)) ** 2
        hertz = np.fft.rfftfreq(WINDOW, 1 / RATE)
        found = {tone: float(power[np.abs(hertz - tone) <= 10].sum()) for tone in (440, 660, 880)}
        loudest = max(float(power.sum()), 1e6)
        return {tone for tone, energy in found.items() if energy > AUDIBLE * loudest}

    def share(self, colour: tuple[int, int, int]) -> float:
        """The part of the last picture that has this colour, more or less."""
        return share(self.frames[-1], colour)


def share(picture: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float((np.abs(picture.astype(int) - colour).max(axis=2) < 60).mean())


def watch(data: bytes) -> Watched:
    """Everything of a container."""
    samples: list[np.ndarray] = [np.zeros(0)]
    frames: list[np.ndarray] = []
    box: Any
    with av.open(io.BytesIO(data), "r") as box:
        codecs = [stream.codec_context.name for stream in box.streams]
        resampler: Any = av.AudioResampler("s16", "mono", RATE)
        for frame in box.decode(*box.streams):
            if isinstance(frame, av.VideoFrame):
                frames.append(frame.to_ndarray(format="rgb24"))
            else:
                samples.extend(part.to_ndarray().ravel() for part in resampler.resample(frame))
    return Watched(np.concatenate(samples), frames, codecs)


def watch_playlist(s3: Any, bucket: str, key: str) -> tuple[str, Watched]:
    """The playlist's text, and all its segments one after the other."""
    text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    folder = key.rpartition("/")[0]
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    return text, watch(b"".join(s3.get_object(Bucket=bucket, Key=f"{folder}/{name}")["Body"].read() for name in names))
