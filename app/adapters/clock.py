"""The wall clock."""

from datetime import UTC, datetime


class SystemClock:
    """`domain.ports.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)
