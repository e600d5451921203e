"""A compiled operation: one SQL text that returns one JSON value, and how each of its parameters is filled."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from permissions.session import Session
from schema.model import TableName

# Every parameter travels as text (or null) and is cast inside the statement, so that PostgreSQL's own text answers a bad value.
Binder = Callable[[Session, Mapping[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`tables` are those the statement reads, for live queries; `sql` has parameters `$1 … $n`."""

    sql: str
    binders: tuple[Binder, ...]
    tables: frozenset[TableName]

    def bind(self, session: Session, variables: Mapping[str, Any]) -> list[str | None]:
        """The statement's arguments for one request; raises GraphQLRefusal for a missing session variable."""
        return [binder(session, variables) for binder in self.binders]


class Connection(Protocol):
    """One database connection inside a transaction."""

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        """The single JSON value of the statement's single row, as PostgreSQL wrote it."""
        ...

    async def set_session(self, session: Session) -> None:
        """`SET LOCAL hasura.user` to the session's variables as JSON, for triggers and functions."""
        ...

    def wrote(self, table: TableName) -> None:
        """Notes a written table: the live queries that read it look again after the commit, not after a rollback."""
        ...


class Database(Protocol):
    """What the engine needs of the outside world. Errors of PostgreSQL arrive as DatabaseError."""

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        """One statement in its own transaction (reads)."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """All or nothing; commits when the block ends without an exception."""
        ...


class DatabaseError(Exception):
    """PostgreSQL refused a statement: its SQLSTATE and its own message."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate, self.message = sqlstate, message
