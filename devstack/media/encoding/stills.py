"""A JPEG each interval, made and put on a thread of its own."""

from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from devstack.media.outputs import ImagesOutput
from devstack.media.take import Tell


class Stills:
    """Pictures of one output."""

    def __init__(self, output: ImagesOutput, failed: Tell) -> None:
        self._output, self._failed, self._next = output, failed, 0.0
        self._thread = ThreadPoolExecutor(1, "stills")

    def look(self, pixels: NDArray[np.uint8], at: float) -> None:
        """Takes the picture when it is time; `at` in seconds since the first."""
        if at < self._next:
            return
        self._next += self._output.wanted.seconds
        self._thread.submit(self._put, pixels.copy()).add_done_callback(self._tell)

    def finish(self) -> None:
        """Returns when the last one is in the store, or failed."""
        self._thread.shutdown()

    def _put(self, pixels: NDArray[np.uint8]) -> None:
        height, width = pixels.shape[0] * 2 // 3, pixels.shape[1]
        self._output.put(jpeg(pixels, self._output.wanted.width or width, self._output.wanted.height or height))

    def _tell(self, done: Future[None]) -> None:
        if isinstance(error := done.exception(), Exception):
            self._failed(error)


def jpeg(pixels: NDArray[np.uint8], width: int, height: int) -> bytes:
    """An I420 picture in this size."""
    frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p").reformat(width, height, "yuvj420p")
    encoder = av.VideoCodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuvj420p", Fraction(1)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
