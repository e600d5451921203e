"""`GET /v1/version`, for tools that ask which server this is before they begin."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.telemetry.version import VERSION


def version_routes() -> list[BaseRoute]:
    """Hasura's form. `server_type` is one of its own words, the version is ours; nobody has to say who asks."""

    async def version(_request: Request) -> Response:
        return JSONResponse({"server_type": "ce", "version": f"v{VERSION}"})

    return [Route("/v1/version", version, methods=["GET"])]
