"""Where each picture stands: boxes on even pixels, for grid, speaker and a single speaker."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Beside the one that is large.
MOST_BESIDE: Final = 6


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    width: int
    height: int

    def fitting(self, width: int, height: int) -> "Box":
        """The largest box of these proportions in the middle of this one."""
        scale = min(self.width / width, self.height / height)
        inner_width, inner_height = max(int(width * scale) & ~1, 2), max(int(height * scale) & ~1, 2)
        x, y = self.x + (self.width - inner_width) // 2, self.y + (self.height - inner_height) // 2
        return Box(x & ~1, y & ~1, inner_width, inner_height)


@dataclass(frozen=True, slots=True)
class Tile:
    """Whose picture it is; a screen is always the large one."""

    sid: str
    identity: str
    screen: bool


def boxes(layout: str, tiles: Sequence[Tile], speaker: str, width: int, height: int) -> list[tuple[Tile, Box]]:
    """A tile and its box each. A grid becomes a speaker's layout while a screen is shared, as with LiveKit's own template."""
    if not tiles:
        return []
    screen = next((tile for tile in tiles if tile.screen), None)
    if layout.startswith("grid") and screen is None:
        return list(zip(tiles, grid(len(tiles), Box(0, 0, width, height)), strict=True))
    large = screen or next((tile for tile in tiles if tile.identity == speaker), tiles[0])
    beside = [tile for tile in tiles if tile is not large][:MOST_BESIDE]
    if layout.startswith("single") or not beside:
        return [(large, Box(0, 0, width, height))]
    side = width // 5 & ~1
    column = grid(len(beside), Box(width - side, 0, side, height))
    return [(large, Box(0, 0, width - side, height)), *zip(beside, column, strict=True)]


def grid(number: int, area: Box) -> list[Box]:
    """So many equal boxes; one below the other where the area is narrow."""
    columns = math.ceil(math.sqrt(number)) if area.height < 2 * area.width else 1
    rows = math.ceil(number / columns)
    width, height = area.width // columns & ~1, area.height // rows & ~1
    return [Box(area.x + n % columns * width, area.y + n // columns * height, width, height) for n in range(number)]
