"""Whose fault a refusal is: the client's, a server's beside us, or ours. Whoever is on duty wants to hear of the last two only."""

from typing import Final, Literal

from permissions.errors import GraphQLRefusal
from resolvers.sql.database import DatabaseError, GaveWay, TookTooLong

Fault = Literal["client", "server", "ours"]

_OURS: Final = frozenset({"unexpected"})
# Nothing that another request would do better: PostgreSQL or LiveKit is away, full, too slow, or not what it was at our start.
_SERVERS: Final = frozenset(
    {"postgres-error", "postgres-max-connections-error", "storage-full", "time-limit-exceeded", "constraint-error", "media-unavailable"}
)
# What PostgreSQL says of an upsert that names one row twice: `unexpected` is Hasura's code, not our fault.
_MET_TWICE: Final = "21000"


def fault_of(refusal: GraphQLRefusal) -> Fault:
    """By its code; what is not listed is for the client to correct, as is a statement that takes too long by itself or for others."""
    cause = refusal.__cause__
    if isinstance(cause, GaveWay | TookTooLong) or (isinstance(cause, DatabaseError) and cause.sqlstate == _MET_TWICE):
        return "client"
    if refusal.code in _OURS:
        return "ours"
    return "server" if refusal.code in _SERVERS else "client"
