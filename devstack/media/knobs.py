"""Knobs: how the worker errs on demand, read and set at `/-/knobs` as JSON; the same address shows what it records."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

PATH = "/-/knobs"


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


def application(knobs: Knobs, running: Callable[[], Collection[str]]) -> Starlette:
    """GET tells the knobs and the ids of what is recorded, PUT turns those that it names."""

    async def answer(request: Request) -> Response:
        if request.method == "PUT":
            turned = await request.json()
            if unknown := turned.keys() - asdict(knobs).keys():
                return PlainTextResponse(f"no such knob: {', '.join(sorted(unknown))}", status_code=400)
            for name, value in turned.items():
                setattr(knobs, name, value)
        return JSONResponse(asdict(knobs) | {"running": sorted(running())})

    return Starlette(routes=[Route(PATH, answer, methods=["GET", "PUT"])])


async def sleep_unless(ended: "asyncio.Future[str]", seconds: float) -> None:
    """Returns after this time, or when something ends before."""
    await asyncio.wait([ended], timeout=seconds)
