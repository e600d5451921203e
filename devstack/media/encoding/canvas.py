"""A picture in I420, into which others are pasted."""

import av
import numpy as np
from numpy.typing import NDArray

from devstack.media.encoding.layouts import Box

BLACK = 16
# Of somebody whose picture has not come yet.
GREY = 48


class Canvas:
    """`pixels` is the whole picture as an encoder takes it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.pixels: NDArray[np.uint8] = np.empty((height * 3 // 2, width), np.uint8)
        flat = self.pixels.reshape(-1)
        luma, chroma = width * height, width * height // 4
        self._planes = (
            flat[:luma].reshape(height, width),
            flat[luma : luma + chroma].reshape(height // 2, width // 2),
            flat[luma + chroma : luma + 2 * chroma].reshape(height // 2, width // 2),
        )
        self.fill(Box(0, 0, width, height), BLACK)

    def fill(self, box: Box, luma: int) -> None:
        for plane, divisor, value in zip(self._planes, (1, 2, 2), (luma, 128, 128), strict=True):
            plane[_rows(box, divisor), _columns(box, divisor)] = value

    def paste(self, picture: av.VideoFrame, box: Box) -> None:
        """The picture has the box's size."""
        for plane, target, divisor in zip(picture.planes, self._planes, (1, 2, 2), strict=True):
            pixels = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            target[_rows(box, divisor), _columns(box, divisor)] = pixels[: box.height // divisor, : box.width // divisor]


def _rows(box: Box, divisor: int) -> slice:
    return slice(box.y // divisor, (box.y + box.height) // divisor)


def _columns(box: Box, divisor: int) -> slice:
    return slice(box.x // divisor, (box.x + box.width) // divisor)
