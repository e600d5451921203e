"""All connections of a process: who may come, what they hold, and who has to go."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from app.connections.addresses import Addresses
from app.connections.endings import ADDRESS_FULL, PROCESS_FULL, UNREAD, UNSENT_TOO_MUCH, Ending
from app.connections.farewells import Farewells
from app.connections.limits import ConnectionLimits
from app.connections.message_budget import SharedBudgets

# The key in the lifespan's state under which the application gives them to the server's protocols.
STATE = "connections"
SWEEP_SECONDS = 1.0
# When there is no place left, so many of those that say nothing make way at once.
EVICTED_AT_ONCE = 16


class Connection(Protocol):
    """One connection as those who watch over all see it."""

    def overdue(self, now: float) -> Ending | None:
        """Why it has to end now, if it has to."""
        ...

    def silent_since(self) -> float | None:
        """Since when it waits for its client's request; None while it has work."""
        ...

    def unsent(self) -> int:
        """Bytes in the transport that its client has not taken."""
        ...

    def held(self) -> int:
        """Those, and what waits to be sent after them."""
        ...

    def end(self, ending: Ending) -> None:
        """Says why, where something can be said, and closes."""
        ...


class Connections:
    """Deadlines are looked at once a second for all: a timer for each request would cost more than all other bounds together."""

    def __init__(
        self, limits: ConnectionLimits, loop: asyncio.AbstractEventLoop, ended: Callable[[str], object] = lambda _reason: None
    ) -> None:
        self.limits = limits
        self.clients = Addresses(limits.of_one_address, ("127.0.0.0/8", "::1"))
        self.budgets = SharedBudgets(limits.client_messages_per_second, limits.client_messages_at_once)
        self.farewells = Farewells(loop)
        self._loop, self._ended = loop, ended
        self._addresses = Addresses(limits.of_one_address, limits.trusted_proxies)
        self._open: dict[Connection, str] = {}
        self._slow: dict[Connection, _Unread] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def admit(self, connection: Connection, host: str | None) -> Ending | None:
        """Counts it in, or says why not."""
        if len(self._open) >= self.limits.total and not self._make_way():
            return self.count(PROCESS_FULL)
        key = self._addresses.take(host)
        if key is None:
            return self.count(ADDRESS_FULL)
        self._add(connection, key)
        return None

    def hand_over(self, old: Connection, new: Connection) -> None:
        """The same connection speaks another protocol from now on."""
        self._add(new, self._open.pop(old, ""))
        self._slow.pop(old, None)

    def leave(self, connection: Connection) -> None:
        """It is closed; one that was never admitted may leave too."""
        self._addresses.give_back(self._open.pop(connection, ""))
        self._slow.pop(connection, None)

    def slow(self, connection: Connection) -> None:
        """Its client does not take what was sent. Whoever has been slow the longest goes when the process holds too much.

        One answer may be as large as it is; for whom so much more waits goes too.
        """
        self._slow.setdefault(connection, _Unread(connection.unsent(), self._loop.time()))
        held = sum(one.held() for one in self._slow)
        for one in list(self._slow)[:-1]:
            if held <= self.limits.unsent_bytes:
                break
            held -= one.held()
            self._end(one, UNSENT_TOO_MUCH)
        if connection.held() - connection.unsent() > self.limits.unsent_bytes:
            self._end(connection, UNSENT_TOO_MUCH)

    def fast_again(self, connection: Connection) -> None:
        """Its client took nearly all."""
        self._slow.pop(connection, None)

    def say_farewell(self) -> None:
        """The process ends."""
        self.farewells.begin(len(self._open))

    def count(self, ending: Ending) -> Ending:
        """Once more for this reason."""
        self._ended(ending.reason)
        return ending

    def sweep(self) -> None:
        """Ends all that are overdue."""
        now = self._loop.time()
        for connection in list(self._open):
            ending = connection.overdue(now)
            if ending is not None:
                self._end(connection, ending)
        for connection, unread in list(self._slow.items()):
            if unread.stands_still(connection.unsent(), now, self.limits):
                self._end(connection, UNREAD)

    def _end(self, connection: Connection, ending: Ending) -> None:
        self._slow.pop(connection, None)
        self.count(ending)
        connection.end(ending)

    def _make_way(self) -> bool:
        silent = [(since, one) for one in self._open if (since := one.silent_since()) is not None]
        silent.sort(key=lambda pair: pair[0])
        for _since, one in silent[:EVICTED_AT_ONCE]:
            self._end(one, PROCESS_FULL)
            self.leave(one)
        return bool(silent)

    def _add(self, connection: Connection, key: str) -> None:
        self._open[connection] = key
        if self._sweep is None:
            self._sweep = self._loop.call_later(SWEEP_SECONDS, self._sweep_and_go_on)

    def _sweep_and_go_on(self) -> None:
        self.sweep()
        self._sweep = self._loop.call_later(SWEEP_SECONDS, self._sweep_and_go_on) if self._open else None


class _Unread:
    """How far a slow client has come."""

    __slots__ = ("_left", "_since")

    def __init__(self, left: int, now: float) -> None:
        self._left, self._since = left, now

    def stands_still(self, left: int, now: float, limits: ConnectionLimits) -> bool:
        if left <= self._left - limits.unread_progress:
            self._left, self._since = left, now
        return now - self._since > limits.unread_seconds


def connections_of(state: dict[str, Any], loop: asyncio.AbstractEventLoop) -> Connections:
    """Those that the application gave its server, or new ones with the default limits."""
    found = state.get(STATE)
    if not isinstance(found, Connections):
        found = state[STATE] = Connections(ConnectionLimits(), loop)
    return found
