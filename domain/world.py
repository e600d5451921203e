"""Everything a domain function may touch, in one value; app/ builds it, tests build it with their own parts."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import ColumnElement, FromClause
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.hub import Hub
from domain.ports import CallLimits, Clock, Hint, JoinTokens, Publisher, RateLimiter, Rooms, TurnCredentials
from permissions.session import Session
from schema.model import TableName


@dataclass(slots=True)
class Transaction:
    """One database transaction. Hints noted here are published after the commit, and dropped by a rollback."""

    connection: AsyncConnection
    hints: list[Hint] = field(default_factory=list)

    def hint(self, topic: str, seq: int | None = None) -> None:
        self.hints.append(Hint(topic, seq))


class Transactions(Protocol):
    def __call__(self, name: str) -> AbstractAsyncContextManager[Transaction]:
        """Opens a transaction; `name` (`initiate_call.write`) tells commits apart in traces and kill tests."""
        ...


class Readable(Protocol):
    def __call__(self, session: Session, table: TableName, from_: FromClause, /) -> ColumnElement[bool]:
        """The select rule of the session's role on a table, as a condition on the columns of `from_`: the table or an alias of it."""
        ...


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
    limits: CallLimits
    readable: Readable
    # Where clients reach LiveKit: the public websocket URL.
    server_url: str
