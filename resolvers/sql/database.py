"""What the engine needs of PostgreSQL; `app/database` provides it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from permissions.session import Session
from schema.model import TableName


class DatabaseTransaction(Protocol):
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

    def transaction(self) -> AbstractAsyncContextManager[DatabaseTransaction]:
        """All or nothing; commits when the block ends without an exception."""
        ...


class DatabaseError(Exception):
    """PostgreSQL refused a statement: its SQLSTATE and its own message."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate, self.message = sqlstate, message
