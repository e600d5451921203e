"""Knobs: what goes wrong with the store on demand, read and set at `/-/faults` as JSON."""

import asyncio
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from devstack.store.errors import S3Error

PATH = "/-/faults"


@dataclass(slots=True)
class Faults:
    """`refuse_uploads` as with rights that were taken away; `full` as with no space left; `overloaded` answers 503 to everything;
    `latency` seconds pass before each answer; `largest_copy` is what is copied at once, in bytes: 5 GiB as with S3."""

    refuse_uploads: bool = False
    full: bool = False
    overloaded: bool = False
    latency: float = 0.0
    largest_copy: int = 5 << 30

    async def before(self, method: str) -> None:
        """Waits, then raises the S3Error that the knobs ask for."""
        await asyncio.sleep(self.latency)
        if self.overloaded:
            raise S3Error("SlowDown", "Please reduce your request rate.")
        if method in ("PUT", "POST"):
            if self.refuse_uploads:
                raise S3Error("AccessDenied", "Access Denied.")
            if self.full:
                raise S3Error("XMinioStorageFull", "Storage backend has reached its minimum free drive threshold.")

    def routes(self) -> list[Route]:
        """GET tells the knobs, PUT turns those that it names."""
        return [Route(PATH, self._answer, methods=["GET", "PUT"])]

    async def _answer(self, request: Request) -> Response:
        if request.method == "PUT":
            turned = await request.json()
            if unknown := turned.keys() - asdict(self).keys():
                return PlainTextResponse(f"no such knob: {', '.join(sorted(unknown))}", status_code=400)
            for name, value in turned.items():
                setattr(self, name, value)
        return JSONResponse(asdict(self))
