"""What an egress asks of whoever writes its media, and how it fails."""

from collections.abc import Callable
from typing import Protocol

from devstack.media.outputs import Outputs
from devstack.media.plan import Plan
from devstack.media.seat import Seat

# Called, from any thread, with what ended a take before its time.
Tell = Callable[[Exception], None]


class EgressFailed(Exception):
    """An egress ends FAILED with this code, which is HTTP's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Sending(Protocol):
    """One address that a take sends to."""

    async def end(self) -> None:
        """Returns when the last of it is out; a failure is of no interest any more."""
        ...


class Take(Protocol):
    """One recording. Made before the seat is taken, so that it hears of each source."""

    async def begin(self) -> None:
        """Writes from now on; what goes wrong later is told to the `failed` it was made with."""
        ...

    async def send(self, url: str, failed: Callable[[str], None]) -> Sending:
        """Sends there by RTMP besides, once it has begun; what goes wrong is told in words that hold no address, on the event loop."""
        ...

    async def end(self) -> None:
        """Returns when everything is in the store. Raises UploadFailed, EgressFailed."""
        ...


# Makes the take of one egress.
TakeMaker = Callable[[Plan, Seat, Outputs, Tell], Take]
