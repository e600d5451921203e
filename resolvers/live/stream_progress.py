"""How far one who follows a stream has come, and what the statement is told of it."""

from typing import Final

import orjson

from permissions.errors import GraphQLRefusal
from resolvers.ir import Stream

# Each is sent with every look.
_MOST_ROOMS: Final = 1_000


class StreamProgress:
    """Begins after the value `since`, or where another one of its kind has come to; `values` come before what the session brings."""

    def __init__(self, stream: Stream, since: str | None, reached: tuple[str | None, ...] | None = None) -> None:
        self._stream = stream
        self._rooms: dict[str, str] = {}
        self.values: tuple[str | None, ...] = (since, *[None for _ in stream.places[1:]])
        if stream.room is not None:
            self.values = (since, "{}")
        if reached is not None and len(reached) == len(self.values):
            self.values = reached
            self._rooms = {} if stream.room is None else orjson.loads(reached[1] or "{}")

    def go_on(self, rows: bytes) -> bool:
        """After rows that lead so far, in their order. Whether there may be more at once. Raises limit-exceeded for too many rooms."""
        leads: list[list[str | None]] = orjson.loads(rows)
        if self._stream.room is None:
            self.values = tuple(leads[-1])
        else:
            self._rooms.update({str(room): str(number) for number, room in leads})
            if len(self._rooms) > _MOST_ROOMS:
                raise too_many_rooms(self._stream.room)
            self.values = (self.values[0], orjson.dumps(self._rooms).decode())
        return len(leads) >= self._stream.most


def too_many_rooms(room: str) -> GraphQLRefusal:
    """A stream over more rooms than it can tell the numbers of."""
    return GraphQLRefusal("limit-exceeded", f"a stream goes through no more than {_MOST_ROOMS} values of {room}; name one in where")
