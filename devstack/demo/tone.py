"""A tone to publish, and how to find it again in what somebody else received."""

import numpy as np
from livekit import rtc

RATE = 48_000
FRAME = RATE // 100  # 10 ms


def frame(hertz: float, n: int) -> rtc.AudioFrame:
    """The n-th 10 ms of a sine at half volume, without a click between frames."""
    time = (np.arange(FRAME) + n * FRAME) / RATE
    samples = (np.sin(2 * np.pi * hertz * time) * 16_000).astype(np.int16)
    return rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME)


def is_heard(samples: np.ndarray, rate: int, hertz: float) -> bool:
    """Whether the tone carries most of the sound: at least half of the energy lies within 20 Hz of it."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / rate) - hertz) <= 20
    total = float(power.sum())
    return total > 0 and float(power[near].sum()) / total > 0.5
