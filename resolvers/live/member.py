"""Who asks in a cohort, as `looks.py` sees them; and how many of them fit into one statement."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, Protocol

from resolvers.sql.database import Asker, DatabaseError

# Hasura's batch: more sessions than this are asked for by more than one statement.
MOST: Final = 100
# Bytes of the answers to one statement, by the last ones: more together is refused, as more than one may have.
BYTES: Final = 2 << 20
# Seconds that a statement for many may take, by what each took lately. What takes as long alone is asked alone.
SECONDS: Final = 0.25


class Member(Protocol):
    """One session, or all that bring the same.

    `own` is what it brings, as JSON. `took` are the seconds of its last look, or its part of them, `size` the bytes of its last answer;
    `alone`: it was refused, and may make fail what it is asked together with.
    """

    took: float
    size: int
    alone: bool

    @property
    def own(self) -> bytes: ...

    @property
    def askers(self) -> Collection[Asker]: ...

    def begin(self) -> int:
        """A look begins. Gives its number."""
        ...

    def answer(self, number: int, body: bytes, progress: bytes | None = None, epoch: str | None = None) -> Any:
        """What that look found; of a stream how far it leads, and the database's history."""
        ...

    def refuse(self, number: int, error: DatabaseError) -> Any:
        """PostgreSQL refused that look."""
        ...

    def end(self, refused: BaseException) -> None:
        """It is not to be tried again."""
        ...


Rows = list[list[Member]]


def rows_of(members: Iterable[Member]) -> Rows:
    """Those who bring the same share a row."""
    ordered = sorted(members, key=lambda member: member.own)
    return [list(row) for _, row in groupby(ordered, key=lambda member: member.own)]


def seconds_of(row: Sequence[Member]) -> float:
    """What a row is expected to take."""
    return max(member.took for member in row)


def batches(rows: Iterable[Sequence[Member]]) -> Iterator[list[Sequence[Member]]]:
    """Rows that one statement asks for: those that take long, or were refused, each by itself."""
    batch: list[Sequence[Member]] = []
    seconds, size = 0.0, 0
    for row in sorted(rows, key=seconds_of):
        if any(member.alone for member in row):
            yield [row]
            continue
        seconds, size = seconds + seconds_of(row), size + row[0].size
        if batch and (len(batch) >= MOST or seconds > SECONDS or size > BYTES):
            yield batch
            batch, seconds, size = [], seconds_of(row), row[0].size
        batch.append(row)
    if batch:
        yield batch
