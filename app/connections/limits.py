"""What one connection, one address and one process may take. Nobody who behaves notices any of it."""

import resource
from collections.abc import Sequence
from dataclasses import dataclass

KIB, MIB = 1 << 10, 1 << 20

# Descriptors that are no connection: PostgreSQL, LiveKit, Redis, logs, listening sockets, and a margin.
RESERVED_DESCRIPTORS = 200
# More than a process of this kind can serve; a limit that is "unlimited" shall not become a number of a billion.
MOST_DESCRIPTORS = 65_536


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bytes, numbers and seconds. `total` is a process's connections, `per_address` those of one client."""

    head_bytes: int = 32 * KIB
    headers: int = 100
    pipelined: int = 16
    # Pieces of a body may be this small on average, once there are many of them.
    pieces: int = 4096
    piece_bytes: int = 16

    first_byte_seconds: float = 20.0
    idle_seconds: float = 75.0
    head_seconds: float = 10.0
    body_seconds: float = 15.0
    body_bytes_per_second: int = 8 * KIB
    # What is still read of a body that was answered already.
    rest_seconds: float = 5.0
    # A client that takes an answer takes at least so much of it in so many seconds.
    unread_seconds: float = 20.0
    unread_progress: int = 64 * KIB

    per_address: int = 1000
    total: int = 10_000
    unsent_bytes: int = 64 * MIB
    trusted_proxies: Sequence[str] = ("127.0.0.1", "::1")

    @property
    def of_one_address(self) -> int:
        """No more than a quarter of all, however few those are: four addresses together take every place, never one."""
        return max(1, min(self.per_address, self.total // 4))

    messages_per_second: float = 50.0
    messages_at_once: int = 300
    overdrawn_seconds: float = 10.0
    # Of all websockets of one client; when they have spent it, those are still read that send no more than a person does.
    client_messages_per_second: float = 500.0
    client_messages_at_once: int = 3000
    person_messages_per_second: float = 2.0
    person_messages_at_once: int = 20


def raise_descriptor_limit() -> None:
    """Takes all file descriptors that the system allows: the default of 1,024 is one of the times of `select`."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if 0 <= _soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_that_fit() -> int:
    """How many connections this process may have before it runs out of file descriptors."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else min(soft, MOST_DESCRIPTORS)
    return max(descriptors - RESERVED_DESCRIPTORS, descriptors // 2)
