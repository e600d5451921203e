"""What a subscriber was sent, and what it should have been sent: lines of text in a folder, to be compared now or later."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

import orjson

TRUTH: Final = "call-{}.txt"
SUBSCRIBER: Final = "subscriber-{}-of-call-{}.txt"


class Line(NamedTuple):
    """An event: its number in its call, and a digest of all that it says."""

    seq: int
    digest: str

    def __str__(self) -> str:
        return f"{self.seq} {self.digest}\n"


def line_of(seq: int, kind: str, actor_id: str | None, payload: object) -> Line:
    """The same for the event as a client gets it and as its row has it."""
    said = orjson.dumps([seq, kind, actor_id, payload], option=orjson.OPT_SORT_KEYS)
    return Line(seq, blake2b(said, digest_size=6).hexdigest())


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with what one or all of them were sent, in numbers of events. `altered` are those that say something else."""

    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    altered: int = 0

    def __add__(self, other: "Wrong") -> "Wrong":
        return Wrong(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))


def compare(got: Iterable[Line], truth: Sequence[Line]) -> Wrong:
    """One subscriber, who began before the first event, beside its call."""
    known = dict(truth)
    seen = set[int]()
    last = doubled = reordered = altered = 0
    for line in got:
        doubled += line.seq in seen
        reordered += line.seq not in seen and line.seq < last
        altered += known.get(line.seq) != line.digest
        seen.add(line.seq)
        last = max(last, line.seq)
    return Wrong(len(known.keys() - seen), doubled, reordered, altered)


def has_gaps(truth: Sequence[Line]) -> bool:
    """Whether a call does not count 1, 2, 3 …"""
    return [line.seq for line in truth] != list(range(1, len(truth) + 1))


@dataclass(frozen=True, slots=True)
class Checked:
    """All subscribers of a run."""

    subscribers: int
    deliveries: int
    events: int
    gaps: int
    wrong: Wrong

    @property
    def is_well(self) -> bool:
        """Whether there is anything to say but that all is well; a run in which nobody was sent anything is not well."""
        return not self.wrong and not self.gaps and self.deliveries > 0


def check(folder: Path) -> Checked:
    """Reads the files of a run again. Raises ValueError for a line that is none."""
    calls = {path.stem.removeprefix("call-"): list(_lines(path)) for path in folder.glob(TRUTH.format("*"))}
    histories = list(_histories(folder, calls))
    wrong = sum((compare(got, truth) for got, truth in histories), Wrong())
    events, gaps = sum(map(len, calls.values())), sum(map(has_gaps, calls.values()))
    return Checked(len(histories), sum(len(got) for got, _ in histories), events, gaps, wrong)


def _histories(folder: Path, calls: Mapping[str, Sequence[Line]]) -> Iterator[tuple[Sequence[Line], Sequence[Line]]]:
    for path in folder.glob(SUBSCRIBER.format("*", "*")):
        yield list(_lines(path)), calls[path.stem.rpartition("-")[2]]


def _lines(path: Path) -> Iterator[Line]:
    """What begins with # tells when it was connected, for people."""
    for text in path.read_text().splitlines():
        if not text.startswith("#"):
            seq, digest = text.split()
            yield Line(int(seq), digest)
