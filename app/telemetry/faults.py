"""Whose fault a refusal is: the client's, a server's beside us, or ours. Whoever is on duty wants to hear of the last two only."""

from typing import Final, Literal

Fault = Literal["client", "server", "ours"]

_OURS: Final = frozenset({"unexpected"})
# Nothing that another request would do better: PostgreSQL or LiveKit is away, full, too slow, or not what it was at our start.
_SERVERS: Final = frozenset(
    {"postgres-error", "postgres-max-connections-error", "time-limit-exceeded", "constraint-error", "media-unavailable"}
)


def fault_of(code: str) -> Fault:
    """By the refusal's code; what is not listed is for the client to correct."""
    if code in _OURS:
        return "ours"
    return "server" if code in _SERVERS else "client"
