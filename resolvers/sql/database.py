"""What the engine needs of PostgreSQL; `app/database` provides it."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, NamedTuple, Protocol

from permissions.session import Session
from resolvers.sql.plan import Plan
from schema.model import TableName

QUERY_CANCELED: Final = "57014"


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


class LookDatabase(Database, Protocol):
    """What a look of live queries has: one statement answers many."""

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        """The rows of one statement in its own transaction (reads); JSON as PostgreSQL wrote it."""
        ...


class Asker(NamedTuple):
    """For whom statements run: whose share they take, whether the time limits of an admin hold, and the seconds that its role has for all
    statements of a request."""

    principal: str = ""
    is_admin: bool = False
    seconds: float | None = None


NOBODY: Final = Asker()


class SharedDatabase(Protocol):
    """The database as each asker has it: within their share and their time limit. Raises GraphQLRefusal when more is asked than fits."""

    async def answer(self, plan: Plan, arguments: Sequence[str | None], asker: Asker) -> bytes:
        """For a request of one statement that reads: its value, as PostgreSQL wrote it."""
        ...

    def request(self, asker: Asker) -> Database:
        """For requests, which wait for an answer."""
        ...

    def act(self, asker: Asker) -> AbstractAsyncContextManager[object]:
        """For what is written by hand, which may use the database in its own way: the block begins when the asker may."""
        ...

    def look(self, askers: Collection[Asker]) -> AbstractAsyncContextManager[LookDatabase]:
        """For one look of live queries that these follow: the block begins when it has its place among the looks."""
        ...


class DatabaseError(Exception):
    """PostgreSQL refused a statement: its SQLSTATE and its own message.

    `detail`, `hint` and the `statement` are for an admin alone: they show rows and rules.
    """

    def __init__(
        self, sqlstate: str, message: str, *, detail: str | None = None, hint: str | None = None, statement: str | None = None
    ) -> None:
        super().__init__(message)
        self.sqlstate, self.message = sqlstate, message
        self.detail, self.hint, self.statement = detail, hint, statement


class GaveWay(DatabaseError):
    """A statement that takes long was stopped because others wait; later it may have the time."""

    def __init__(self) -> None:
        super().__init__(QUERY_CANCELED, "others are waiting and the query takes long; ask for less, or later")


class TookTooLong(DatabaseError):
    """A statement was stopped because of the time it takes; the same statement would take it again."""

    def __init__(self, message: str) -> None:
        super().__init__(QUERY_CANCELED, message)
