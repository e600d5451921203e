"""Knobs: how a worker errs on demand, read and set at `/-/knobs` as JSON; the same address shows what it works on."""

from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PATH = "/-/knobs"


def application(knobs: "DataclassInstance", running: Callable[[], Collection[str]]) -> Starlette:
    """GET tells the knobs and the ids of what is worked on, PUT turns those that it names."""

    async def answer(request: Request) -> Response:
        if request.method == "PUT":
            turned = await request.json()
            if unknown := turned.keys() - asdict(knobs).keys():
                return PlainTextResponse(f"no such knob: {', '.join(sorted(unknown))}", status_code=400)
            for name, value in turned.items():
                setattr(knobs, name, value)
        return JSONResponse(asdict(knobs) | {"running": sorted(running())})

    return Starlette(routes=[Route(PATH, answer, methods=["GET", "PUT"])])
