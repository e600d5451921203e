"""One payload of a subscription on its way to a client that may be slow."""

from collections.abc import Awaitable, Callable

from domain.hub import AskAnew
from resolvers.live.payload import Payload

Again = Callable[[], Awaitable[Payload]]
# How a payload is told to its client.
Told = Callable[[Payload], bytes]


class Offer:
    """Kept until it is taken, or let go: then whoever takes it gets the newest, which may be a newer one.

    What has no `again` can't be let go. After it was taken nothing of it is left but `mark`, of the payload that was taken, and
    `event_id`, by which its client goes on behind it.
    """

    __slots__ = ("_again", "_payload", "_told", "anew", "event_id", "mark")

    def __init__(self, payload: Payload, again: Again | None = None, told: Told | None = None, *, event_id: str | None = None) -> None:
        self._payload: Payload | None = payload
        self._again, self._told = again, told
        # In place of `again` once all that is followed begins anew.
        self.anew: Again | None = None
        self.event_id = event_id
        self.mark = payload.mark

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return 0 if self._payload is None else len(self._payload.body)

    def let_go(self) -> None:
        """Its client can't take it now, and it is too large to wait here."""
        if self._again is not None:
            self._payload = None

    async def take(self) -> bytes:
        """The body; raises GraphQLRefusal when it was let go and can't be had again."""
        payload, self._payload = self._payload, None
        if payload is None:
            if self._again is None:
                raise RuntimeError("an offer was taken twice")
            payload = await self._asked_again(self._again)
        self.mark = payload.mark
        return payload.body if self._told is None else self._told(payload)

    async def _asked_again(self, again: Again) -> Payload:
        try:
            return await again()
        except AskAnew:
            if self.anew is None:
                raise
            return await self.anew()
