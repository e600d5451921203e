"""Whose fault a refusal is: the client's, a server's beside us, or ours. Whoever is on duty wants to hear of the last two only."""

from typing import Final, Literal

from permissions.errors import GraphQLRefusal
from resolvers.sql.database import GaveWay, TookTooLong

Fault = Literal["client", "server", "ours"]

_OURS: Final = frozenset({"unexpected"})
# Nothing that another request would do better: PostgreSQL or LiveKit is away, full, too slow, or not what it was at our start.
_SERVERS: Final = frozenset(
    {"postgres-error", "postgres-max-connections-error", "storage-full", "time-limit-exceeded", "constraint-error", "media-unavailable"}
)


def fault_of(refusal: GraphQLRefusal) -> Fault:
    """By its code; what is not listed is for the client to correct, as is a statement that takes too long by itself or for others."""
    if refusal.code in _OURS:
        return "ours"
    if isinstance(refusal.__cause__, GaveWay | TookTooLong):
        return "client"
    return "server" if refusal.code in _SERVERS else "client"
