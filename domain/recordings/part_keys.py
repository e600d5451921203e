"""Where the objects of a part lie: below one prefix, but for what was moved away from the CDN when fewer were let watch."""

import re
from dataclasses import dataclass
from typing import Final

from domain.recordings.names import SEGMENT

SEGMENT_NAME: Final = re.compile(rf"{SEGMENT}_([0-9]{{1,9}})\.ts")


@dataclass(frozen=True, slots=True)
class PartKeys:
    """All keys begin with `prefix`; those of the segments from `late_from` up to `moved_to` with `late_prefix`, where there is one."""

    prefix: str
    late_prefix: str | None = None
    late_from: int | None = None
    moved_to: int | None = None

    def of(self, name: str) -> str:
        """The key of a segment or a picture of this name."""
        return (self.late_prefix if self.late_prefix is not None and self._moved(name) else self.prefix) + name

    @property
    def prefixes(self) -> tuple[str, ...]:
        """All of them; what is found under a later one is there in place of the earlier."""
        return (self.prefix,) if self.late_prefix is None else (self.prefix, self.late_prefix)

    def _moved(self, name: str) -> bool:
        number = segment_number(name)
        if number is None or self.late_from is None or self.moved_to is None:
            return False
        return self.late_from <= number < self.moved_to


def segment_number(name: str) -> int | None:
    """`segment_00041.ts` has the number 41; None for what is no segment."""
    found = SEGMENT_NAME.fullmatch(name)
    return None if found is None else int(found[1])
