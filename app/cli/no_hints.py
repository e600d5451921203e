"""Transactions of a command tell nobody what they changed: the services look every second anyway."""

from collections.abc import Sequence

from domain.ports import Hint


class NoHints:
    """`domain.ports.Publisher`."""

    async def publish(self, hints: Sequence[Hint]) -> None:
        """Told to nobody."""
