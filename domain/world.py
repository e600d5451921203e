"""Everything a domain function may touch, in one value; app/ builds it, tests build it with their own parts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.hub import Hub
from domain.ports import (
    Batches,
    CallLimits,
    Clock,
    EventReceiver,
    FigureName,
    Figures,
    Hint,
    HostNames,
    Ingests,
    JoinTokens,
    Publisher,
    PushService,
    RateLimiter,
    Rooms,
    Sealer,
    StreamingLimits,
    TurnCredentials,
)
from domain.recording_ports import Joiner, ObjectStore, Packager, Recorder
from permissions.compiling.named import NamedColumn
from permissions.compiling.readable import RoleCondition, ValueOf
from permissions.session import Session
from schema.model import TableName


@dataclass(slots=True)
class Transaction:
    """One database transaction. Hints noted here are published after the commit, and dropped by a rollback."""

    connection: AsyncConnection
    hints: list[Hint] = field(default_factory=list)
    # Rows by what writes them.
    noted: dict["Write", list[Any]] = field(default_factory=dict)

    def hint(self, topic: str, seq: int | None = None) -> None:
        self.hints.append(Hint(topic, seq))

    def note(self, write: "Write", row: object) -> None:
        """A row that nobody reads in this transaction: all that `write` is to write go in one statement, before the commit."""
        self.noted.setdefault(write, []).append(row)

    async def write_down(self) -> None:
        """Writes what was noted. Whoever opened the transaction does it before the commit."""
        noted, self.noted = self.noted, {}
        for write, rows in noted.items():
            await write(self, rows)


Write = Callable[[Transaction, Sequence[Any]], Awaitable[None]]


class Transactions(Protocol):
    def __call__(self, name: str) -> AbstractAsyncContextManager[Transaction]:
        """Opens a transaction; `name` (`initiate_call.write`) tells commits apart in traces and kill tests."""
        ...


class Readable(Protocol):
    def __hash__(self) -> int:
        """Statements are kept by it."""
        ...

    def __call__(self, session: Session, table: TableName, from_: FromClause, /) -> ColumnElement[bool]:
        """The select rule of the session's role on a table, as a condition on the columns of `from_`: the table or an alias of it."""
        ...

    def without(self, relationship: str, session: Session, table: TableName, from_: FromClause, /) -> ColumnElement[bool]:
        """The same as if rows of the table had nothing in that relationship: what would be seen without a ban, for instance."""
        ...

    def of_role(self, role: str, table: TableName, from_: FromClause, /) -> RoleCondition:
        """The same with the session's variables as parameters: building a rule takes longer than asking it."""
        ...

    def by_values(
        self, role: str, table: TableName, from_: FromClause, value_of: ValueOf, /, *, without: str | None = None
    ) -> ColumnElement[bool]:
        """The same where each session variable is what `value_of` gives for its name, a column for instance: for many in one statement.

        It may be as if rows of the table had nothing in the relationship `without`.
        """
        ...

    def named(self, role: str, table: TableName, /) -> frozenset[NamedColumn]:
        """The columns, of all tables, that decide which rows of a table the role sees: where none of them changes, neither does that."""
        ...


@dataclass(slots=True)
class ServedRules:
    """The select rules of this moment: others take their place when the metadata is read again."""

    now: Readable


class RingFollowing(Protocol):
    """One who waits for rings."""

    async def changed(self, known: Mapping[UUID, str]) -> None:
        """Returns on a hint, and when what rings for the person, as the role sees it, is not `known`: calls, and since when each rings.

        A hint may be lost; this is seen within a second and a half. Raises what keeps it from being seen, when that lasts, and AskAnew.
        """
        ...


class RingWatch(Protocol):
    def follow(self, session: Session, /) -> AbstractAsyncContextManager[RingFollowing]:
        """What changes from the moment the block begins is not missed. Raises GraphQLRefusal for a session that is nobody's."""
        ...

    def begin_anew(self) -> None:
        """The rules are others now: whoever follows gets AskAnew."""
        ...


def unwatched(_name: FigureName, _value: float) -> None:
    """The default: nobody watches."""


@dataclass(frozen=True, slots=True)
class World:
    transaction: Transactions
    rooms: Rooms
    tokens: JoinTokens
    publisher: Publisher
    hub: Hub
    clock: Clock
    limiter: RateLimiter
    turn: TurnCredentials
    sealer: Sealer
    host_names: HostNames
    limits: CallLimits
    rules: ServedRules
    ring_watch: RingWatch
    # Where clients reach LiveKit: the public websocket URL.
    server_url: str
    batches: Batches
    # Where clients reach this service, without a slash at the end.
    public_url: str = ""
    stream_limits: StreamingLimits = field(default_factory=StreamingLimits)
    figure: Figures = unwatched
    # None: there is nobody who records.
    recorder: Recorder | None = None
    # None: there is no media server that encoders could send to.
    ingests: Ingests | None = None
    store: ObjectStore | None = None
    joiner: Joiner | None = None
    # None: streams are not repackaged.
    packager: Packager | None = None
    # None: the deployment has none, and pushes are not delivered.
    push_service: PushService | None = None
    # None: nobody is told of finished recordings.
    event_receiver: EventReceiver | None = None

    @property
    def readable(self) -> Readable:
        """What sessions may read, by the rules of this moment."""
        return self.rules.now

    @property
    def streams(self) -> bool:
        """Whether streams begin here. Where they don't any more, what runs still ends, and plays."""
        return self.recorder is not None and self.stream_limits.streaming

    @property
    def records(self) -> bool:
        """Whether recordings begin here. Where they don't any more, what was recorded still ends, plays and expires."""
        return self.recorder is not None and self.limits.recording
