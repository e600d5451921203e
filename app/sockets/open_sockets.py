"""The websockets and streams of events of a process, as long as they are open."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from permissions.errors import GraphQLRefusal
from permissions.session import USER_ID, Session

# So many are looked at before others have their turn on the event loop: a millisecond or two.
LOOKED_AT_ONCE: Final = 500


def closed_by_operator() -> GraphQLRefusal:
    """Why it ended; also the reason of a websocket's close."""
    return GraphQLRefusal("closed-by-operator", "Closed by an operator")


class SocketFacts(NamedTuple):
    """What an operator sees of a socket: no token, and nothing that was asked. `since` is a unix time.

    User and role are None until the client has said who it is.
    """

    user: str | None
    role: str | None
    protocol: str
    since: float
    operations: int
    address: str | None

    @classmethod
    def of(cls, session: Session | None, protocol: str, since: float, operations: int, address: str | None) -> "SocketFacts":
        """With the person and the role of its session."""
        if session is None:
            return cls(None, None, protocol, since, operations, address)
        return cls(session.variables.get(USER_ID), session.role, protocol, since, operations, address)


class OpenSocket(Protocol):
    """One websocket or stream, as the operator has it."""

    @property
    def facts(self) -> SocketFacts: ...

    def end(self) -> None:
        """Ends it in the words of its protocol, as soon as the event loop turns. One that ends already is left alone."""
        ...


class OpenSockets:
    """The register. Whoever serves a socket lists it for as long as it may be ended."""

    def __init__(self) -> None:
        self._open: dict[OpenSocket, None] = {}

    @contextmanager
    def listed(self, socket: OpenSocket) -> Iterator[None]:
        """It is open until the block ends."""
        self._open[socket] = None
        try:
            yield
        finally:
            del self._open[socket]

    def of(self, user: str | None) -> Iterator[Sequence[OpenSocket]]:
        """Those of a person, or all; between two parts the event loop may turn."""
        wanted, everybody = _same(user), list(self._open)
        for start in range(0, len(everybody), LOOKED_AT_ONCE):
            open_still = [socket for socket in everybody[start : start + LOOKED_AT_ONCE] if socket in self._open]
            yield [socket for socket in open_still if wanted is None or wanted == _same(socket.facts.user)]


def _same(user: str | None) -> str | None:
    """Equal for the same person: a uuid may be written in several ways."""
    try:
        return None if user is None else str(UUID(user))
    except ValueError:
        return user
