"""Which report of LiveKit's record is which output's: the record shows addresses in the order they came in, and of a key its ends alone."""

from collections.abc import Collection, Sequence
from typing import Final

from domain.recording_ports import OutputReport

SHOWN: Final = 3


def shown_of(key: str) -> str:
    """A key as LiveKit shows it: at most three characters of each end, and of both together no more than two thirds."""
    many = min(SHOWN, len(key) // 3)
    return f"{{{key[:many]}...{key[len(key) - many :]}}}"


def place_of(reports: Sequence[OutputReport], key: str, taken: Collection[int]) -> int | None:
    """Where the address that was asked for last stands: the last of this key that belongs to no other output. None: it is not there.

    The host is not compared: LiveKit sends some addresses of Twitch to another of its hosts.
    """
    shown = shown_of(key)
    return next((place for place in reversed(range(len(reports))) if reports[place].shown == shown and place not in taken), None)


def report_at(reports: Sequence[OutputReport], place: int, key: str) -> OutputReport | None:
    """The report at a place that is known; None where something else stands there, which nothing can be said of then."""
    found = reports[place] if place < len(reports) else None
    return found if found is not None and found.shown == shown_of(key) else None
