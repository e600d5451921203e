"""In place of the event bus until it is wired: nobody hears hints, and subscriptions are refused."""

from collections.abc import AsyncGenerator, Sequence

from domain.ports import Hint
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.request import Request


class Unheard:
    """`domain.ports.Publisher` without anybody listening."""

    async def publish(self, hints: Sequence[Hint]) -> None:
        """Hints may be lost: readers look again by themselves."""


class Refused:
    """`app.websocket.ports.Subscriptions` that offers none."""

    async def subscribe(self, _request: Request, _session: Session, _context: object | None = None) -> AsyncGenerator[bytes, None]:
        for refusal in (GraphQLRefusal("not-supported", "subscriptions are not served"),):
            raise refusal
        yield b""
