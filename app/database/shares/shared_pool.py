"""The pool as each principal has it: within their share of the places, and their time limit."""

import math
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from app.database.pool import MAX_STATEMENT_BYTES, PoolDatabase, PoolTransaction
from app.database.shares.proof_of_life import ProofOfLife
from app.database.shares.share import Places
from app.database.shares.together import Together
from app.database.shares.turns import Turn, Turns
from resolvers.sql.database import QUERY_CANCELED, Asker, Database, DatabaseError, DatabaseTransaction, LookDatabase, TookTooLong
from resolvers.sql.plan import Plan

ANY_NUMBER: Final = 1_000_000
OWN_CONNECTIONS: Final = 2
# PostgreSQL counts in milliseconds, and takes none for no limit at all.
SHORTEST: Final = 0.001


@dataclass(frozen=True, slots=True)
class StatementLimits:
    """Statements of one principal at once, and the seconds of each; `admin_seconds` for the role admin."""

    share: int = 4
    seconds: float = 5.0
    admin_seconds: float = 30.0


def pool_size(requests: int) -> int:
    """With looks, and with what the service itself asks: whether the database answers is no question of whether all places are taken."""
    return requests + looks_beside(requests) + OWN_CONNECTIONS


def looks_beside(requests: int) -> int:
    """Three tenths more."""
    return -(-requests * 3 // 10)


def places(requests: int, share: int) -> tuple[Places, Places]:
    """Of requests and of looks: whatever one kind takes, the other keeps its own connections."""
    looks = looks_beside(requests)
    # Long requests leave four fifths of the places, long looks one; no principal has all, and whoever asks for one thing finds a place.
    return (
        Places(
            requests, heavy=max(1, requests // 5), share=min(share, max(1, requests - 1)), kept=max(1, requests // 4), known=requests // 5
        ),
        Places(looks, heavy=max(1, looks - 1), share=max(1, looks // 2)),
    )


class SharedPool:
    """`resolvers.sql.database.SharedDatabase` over a pool of `pool_size(requests)` connections. `clock` gives seconds."""

    def __init__(self, database: PoolDatabase, requests: int, limits: StatementLimits, clock: Callable[[], float]) -> None:
        self._database, self._limits, self._clock = database, limits, clock
        for_requests, for_looks = places(requests, limits.share)
        lives = ProofOfLife(database.ping, clock)
        self._admins_share = max(1, requests - 1)
        self._requests, self._looks = Turns(for_requests, lives.now, lives), Turns(for_looks, lives.now, lives)
        # What is planned anew each time keeps a processor busy before a row is read: of one principal one at a time. Those that wait for a
        # place among all keep theirs here, so the heavy do not have them all.
        self._long_at_once = for_requests.heavy
        self._long = Turns(Places(self._long_at_once, max(1, self._long_at_once - 1), share=1), lives.now, lives)
        self._together = Together(database, self._requests, max(1, requests // 2), for_requests.share, limits.seconds, lives.now)
        self._acts = Turns(Places(ANY_NUMBER, ANY_NUMBER, limits.share), clock)

    def request(self, asker: Asker) -> Database:
        """For requests, which wait for an answer. A limit of the role's own is that of all statements of the request together."""
        limited = _Limited(self._database, self._seconds(asker), asker.seconds, self._clock)
        shares = (self._admins_share, self._long_at_once) if asker.is_admin else (None, None)
        return _InTurn(limited, self._requests, self._long, asker.principal, shares)

    async def answer(self, plan: Plan, arguments: Sequence[str | None], asker: Asker) -> bytes:
        """For a request of one statement that reads: with others who ask the same at this moment, or alone."""
        answered = await self._together.answer(plan, arguments, asker.principal)
        return await self.request(asker).fetch_json(plan.sql, arguments) if answered is None else answered

    def act(self, asker: Asker) -> Turn:
        """An action has transactions of its own, and waits for LiveKit: one principal has a few at once, all together any number."""
        return self._acts.turn(asker.principal, self._admins_share if asker.is_admin else None)

    @asynccontextmanager
    async def look(self, askers: Collection[Asker]) -> AsyncIterator[LookDatabase]:
        """In the name of whoever has most of their share left: nobody waits for those who want too much."""
        principal = self._looks.lightest({asker.principal for asker in askers})
        async with self._looks.turn(principal):
            yield _Limited(self._database, min(map(self._seconds, askers)), None, self._clock)

    def _seconds(self, asker: Asker) -> float:
        own = self._limits.admin_seconds if asker.is_admin else self._limits.seconds
        return own if asker.seconds is None else min(own, asker.seconds)


class _Limited:
    """`LookDatabase` with a time limit: `seconds` for each statement or transaction, `together` for all of them, one after the other."""

    __slots__ = ("_clock", "_database", "_left", "_seconds")

    def __init__(self, database: PoolDatabase, seconds: float, together: float | None, clock: Callable[[], float]) -> None:
        self._database, self._seconds, self._clock = database, seconds, clock
        self._left = math.inf if together is None else together

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        with self._in_time() as seconds:
            return await self._database.fetch_json(sql, arguments, seconds=seconds)

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        with self._in_time() as seconds:
            return await self._database.fetch_rows(sql, arguments, seconds=seconds)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[DatabaseTransaction]:
        async with self.unannounced() as transaction:
            yield transaction
        await self.announce(transaction)

    @asynccontextmanager
    async def unannounced(self) -> AsyncIterator[PoolTransaction]:
        """Committed at the end; what it wrote is for the caller to announce."""
        with self._in_time() as seconds:
            async with self._database.unannounced(seconds=seconds) as transaction:
                yield transaction

    def _in_time(self) -> "_InTime":
        return _InTime(self)

    def begin(self) -> tuple[float, float]:
        """The seconds for a statement or transaction that begins now, and the moment; raises TookTooLong when none are left."""
        seconds = min(self._seconds, self._left)
        if seconds < SHORTEST:
            raise _took_too_long(self._seconds)
        return seconds, self._clock()

    def end(self, began: float, error: BaseException | None) -> None:
        """The time since is gone for what follows; raises TookTooLong for an error that means it."""
        self._left -= self._clock() - began
        if isinstance(error, DatabaseError) and _is_too_slow(error):
            raise _took_too_long(self._seconds) from error

    async def announce(self, transaction: PoolTransaction) -> None:
        await self._database.announce(transaction)


class _InTime:
    """The time of one statement or transaction; a class of its own, for a generator's context costs every statement more."""

    __slots__ = ("_began", "_limited")

    def __init__(self, limited: _Limited) -> None:
        self._limited = limited

    def __enter__(self) -> float:
        seconds, self._began = self._limited.begin()
        return seconds

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._limited.end(self._began, error)


class _InTurn:
    """`Database` whose every statement and transaction waits for its turn, and long statements before for their turn among these."""

    __slots__ = ("_limited", "_long", "_principal", "_share", "_share_of_long", "_turns")

    def __init__(self, limited: _Limited, turns: Turns, long: Turns, principal: str, shares: tuple[int | None, int | None]) -> None:
        self._limited, self._turns, self._long, self._principal = limited, turns, long, principal
        self._share, self._share_of_long = shares

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        if len(sql) > MAX_STATEMENT_BYTES:
            async with self._long.turn(self._principal, self._share_of_long):
                return await self._fetch(sql, arguments)
        return await self._fetch(sql, arguments)

    async def _fetch(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        async with self._turns.turn(self._principal, self._share):
            return await self._limited.fetch_json(sql, arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[DatabaseTransaction]:
        async with self._turns.turn(self._principal, self._share) as turn, self._limited.unannounced() as transaction:
            yield transaction
            # From here on it may be committed, and nobody may hear that it was not.
            turn.keep()
        await self._limited.announce(transaction)


def _is_too_slow(error: DatabaseError) -> bool:
    """Whether PostgreSQL ended it at its time; that nobody answered at all is another thing."""
    return error.sqlstate == QUERY_CANCELED and not isinstance(error.__cause__, TimeoutError)


def _took_too_long(seconds: float) -> TookTooLong:
    return TookTooLong(f"the query took longer than {seconds:g} s; ask for less")
