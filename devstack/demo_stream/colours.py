"""What the encoder shows, and how it is known again: the eight corners of the cube of colours, by their names."""

from collections.abc import Mapping, Sequence
from typing import Final

# A name's place is made of three bits: red, green, blue.
NAMES: Final = ("black", "blue", "green", "cyan", "red", "magenta", "yellow", "white")
RGB: Final[Mapping[str, bytes]] = {name: bytes(255 if place & bit else 0 for bit in (4, 2, 1)) for place, name in enumerate(NAMES)}


def name_of(pixel: Sequence[int]) -> str:
    """Of red, green and blue, more or less."""
    red, green, blue = (value > 127 for value in pixel)
    return NAMES[red * 4 + green * 2 + blue]


# The same in a page: what its player shows in the middle of the picture.
SHOWN: Final = """() => {
  const video = document.querySelector('video'), canvas = document.createElement('canvas')
  canvas.width = canvas.height = 1
  const context = canvas.getContext('2d')
  context.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1)
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data
  return NAMES[(red > 127) * 4 + (green > 127) * 2 + (blue > 127)]
}""".replace("NAMES", str(list(NAMES)))
