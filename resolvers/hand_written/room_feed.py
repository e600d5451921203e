"""What a subscription to rooms is declared with."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from domain.errors import ActionError
from permissions.expressions import Expression
from resolvers.hand_written.context import Read
from resolvers.sql.database import Database
from schema.model import TableName

# Events that are read at once.
PAGE: Final = 200
# In the metadata of a subscription field: its resolver gives back a Place.
OF_ROOM: Final = "of room"
# Stands for the room's id in the key of a right.
ROOM: Final = object()


class Event(NamedTuple):
    """`value` is what the field's type reads from.

    It `takes_back` all before it up to this seq: they read otherwise since, and what they were is told no more. Part of it is `hidden`
    where something is there that was not seen with these permissions.
    """

    seq: int
    value: object
    takes_back: int = 0
    hidden: bool = False


class ReadPage(Protocol):
    async def __call__(self, read: Read, room: str, after: int, epoch: str) -> Sequence[Event]:
        """At most PAGE events of the room with a seq above `after`, in order, with the permissions that `read` has."""
        ...


@dataclass(frozen=True, slots=True)
class Bar:
    """Rows of a relationship that take away a right which one would have without them, and the refusal that says so."""

    relationship: str
    refusal: type[ActionError]


@dataclass(frozen=True, slots=True)
class Right:
    """Whoever follows has to see the row of `table` with this primary key, in which ROOM stands for the room; else `refusal` is the end,
    or that of `bar` for whoever would see the row if it had nothing in that relationship."""

    table: TableName
    key: Mapping[str, object]
    refusal: type[ActionError]
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """The table that holds the last seq of each room. A room without a row there has none."""

    table: TableName
    room: str
    seq: str


@dataclass(frozen=True, slots=True, eq=False)
class RoomFeed:
    """A subscription field whose events are rows, numbered without a gap within their room, or what a room's state is.

    `topic` is where hints on a room are published, `epoch` the SQL of the database's history (another value: another history).
    `within` names the tables that pages are read from with the relationship that leads to the room's row of the first right: where a
    role's rule asks for nothing but that, everyone who may follow sees the same. What pages ask of a table's rows besides is `given`: a
    rule need not ask it of them. `beside` are those whose rule may not depend on who asks. `page` makes what reads pages. It may ask the
    database itself for numbers and kinds, which no role sees in a table, and for nothing that somebody may not see.

    A room is told of no sooner than `every` seconds after the last time. Of a feed `of_state` each event says how things are now and takes
    the place of those of its kind before it: their numbers are in order, with gaps, and a page ends with the room's last one.
    """

    name: str
    topic: Callable[[str], str]
    counter: Counter
    epoch: str
    rights: Sequence[Right]
    within: Mapping[TableName, str]
    beside: Sequence[TableName]
    page: Callable[[Database], ReadPage]
    given: Mapping[TableName, Expression] = field(default_factory=dict)
    every: float = 0.0
    of_state: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody wants to follow a feed: what the field's resolver gives back.

    `after` is the last seq that the client has (None: from now on), `epoch` the history it is of.
    """

    feed: RoomFeed
    room: str
    after: int | None = None
    epoch: str | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        """For graphql-core, which knows a subscription by that; its events come from the room."""
        raise TypeError("a place is followed through its room")


Encode = Callable[[object], Awaitable[bytes]]
