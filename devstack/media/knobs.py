"""How the worker that records errs on demand."""

import asyncio
from dataclasses import dataclass


@dataclass(slots=True)
class Knobs:
    """`accepts` off is a worker without a free slot. `start_delay` seconds pass before it joins the room, `lookup_timeout` before it
    gives up on a person or track that is not there. `session_limit` seconds (0: none) end a recording as the limits of a real worker do.
    `refuse_uploads` fails each upload as a store does that has taken the rights away."""

    accepts: bool = True
    start_delay: float = 0.0
    lookup_timeout: float = 30.0
    session_limit: float = 0.0
    refuse_uploads: bool = False


async def sleep_unless(ended: "asyncio.Future[str]", seconds: float) -> None:
    """Returns after this time, or when something ends before."""
    await asyncio.wait([ended], timeout=seconds)
