"""The moments at which a process can die between two facts: each commit and each call of a port, told to whoever watches."""

from collections.abc import Callable

# Hears `accept_call.write:before_commit`, `rooms.create_room:after` and the like: tests of crashes end the process there.
Observe = Callable[[str], None]


def unobserved(_moment: str) -> None:
    """The default: nobody watches."""
