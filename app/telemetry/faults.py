"""Whose fault a refusal is: the client's, a server's beside us, or ours. Whoever is on duty wants to hear of the last two only."""

from collections.abc import Mapping
from typing import Final, Literal

from permissions.errors import GraphQLRefusal
from resolvers.sql.database import DatabaseError, GaveWay, TookTooLong

Fault = Literal["client", "server", "ours"]

_OURS: Final = frozenset({"unexpected"})
# Nothing that another request would do better: PostgreSQL or LiveKit is away, full, too slow, or not what it was at our start.
_SERVERS: Final = frozenset(
    {"postgres-error", "postgres-max-connections-error", "storage-full", "time-limit-exceeded", "constraint-error", "media-unavailable"}
)
# What PostgreSQL says where `unexpected` is Hasura's code, not our fault: of an upsert that names one row twice, and of transactions
# that were in each other's way.
_NOT_OURS: Final[Mapping[str, Fault]] = {"21000": "client", "40001": "server", "40P01": "server"}


def fault_of(refusal: GraphQLRefusal) -> Fault:
    """By its code; what is not listed is for the client to correct, as is a statement that takes too long by itself or for others."""
    cause = refusal.__cause__
    if isinstance(cause, GaveWay | TookTooLong):
        return "client"
    if isinstance(cause, DatabaseError) and cause.sqlstate in _NOT_OURS:
        return _NOT_OURS[cause.sqlstate]
    if refusal.code in _OURS:
        return "ours"
    return "server" if refusal.code in _SERVERS else "client"
