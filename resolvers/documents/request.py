"""One GraphQL request as it arrives, over HTTP or a websocket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple


@dataclass(slots=True)
class Tally:
    """What the members of one batch have cost so far, and the bytes of their answers: a batch has no more than a single request."""

    cost: int = 0
    answered: int = 0


class Seen(NamedTuple):
    """An event of a room, by its number and the history that it counts in (None: of any)."""

    seq: int
    epoch: str | None = None


NO_VARIABLES: Final[Mapping[str, Any]] = {}


class Request(NamedTuple):
    """`principal` names who waits their turn and has a share of their own: a person, or the address of callers without a name.

    `size` is that of the body or message it came in, in bytes; `tally` is shared by the members of a batch; `seen` is the
    last event that the client has, where its transport says so. `delta`: of a live query's answers only the first is wanted whole.
    `address` is where it comes from, as far as addresses tell. `reads_only`: its transport may repeat it and
    foreign pages may send it, so nothing that may write is run. `tells_internal`: an admin who asks is told PostgreSQL's own errors.
    """

    query: str
    variables: Mapping[str, Any] = NO_VARIABLES
    operation_name: str | None = None
    principal: str = ""
    size: int = 0
    tally: Tally | None = None
    seen: Seen | None = None
    delta: bool = False
    reads_only: bool = False
    address: str = ""
    tells_internal: bool = True
