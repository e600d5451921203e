"""The events of one call after a cursor, without a gap, for as long as the person may see them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain.hub import Hub

PAGE: Final = 200
# A right that is lost without a hint (a foreign program removed the person from the channel) is noticed this soon.
LOOK_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Event:
    """`row` is what the reader shows of it."""

    seq: int
    row: Any


@dataclass(frozen=True, slots=True)
class Page:
    """At most PAGE events that follow a cursor; `head` is the last seq of the call. Both of one moment, as is the right to see them."""

    events: Sequence[Event]
    head: int


ReadPage = Callable[[int], Coroutine[Any, Any, Page]]


async def follow_call(hub: Hub, call_id: UUID, after: int | None, look: ReadPage) -> AsyncGenerator[Event, None]:
    """The events with a seq above `after` (None: those from now on), in order, each once.

    `look` reads what follows a seq and checks the right each time; what it raises is the only end.
    """
    async with hub.follow([f"call:{call_id}"]) as following:
        cursor = (await look(0)).head if after is None else after
        while True:
            page = await look(cursor)
            fresh_until = _now() + LOOK_EVERY
            for event in page.events:
                cursor = event.seq
                yield event
                if _now() > fresh_until:
                    # Taken slowly: the right may be gone by now. A cursor can stop anywhere and look again.
                    break
            else:
                if len(page.events) < PAGE:
                    await following.changed(LOOK_EVERY)


def _now() -> float:
    return asyncio.get_running_loop().time()
