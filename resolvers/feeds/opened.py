"""A subscription to a room, understood: where, for whom, and how its events are written."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.hand_written.context import Read
from resolvers.hand_written.room_feed import Encode, Place


@dataclass(frozen=True, slots=True)
class Opened:
    """`document` is equal for those who ask for the same fields; `encoder` makes what writes their events, and keeps that so.

    `read` asks the engine with the session's permissions, `refused` says an error at the field's path.
    """

    place: Place
    session: Session
    document: Hashable
    encoder: Callable[[], Encode]
    read: Read
    refused: Callable[[Exception], GraphQLRefusal]
